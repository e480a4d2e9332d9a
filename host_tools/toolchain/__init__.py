"""Set-up of everything the project needs: environment, MicroPython, board image; standard library only."""
