"""Core: what every layer may use. Pure: imports nothing of the project outside core, does no I/O."""
