"""Commissioning from the host: start the board's procedure, show what it says, keep what it found."""
