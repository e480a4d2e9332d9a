"""Drivers: bytes on a bus <-> integers in site power units. Imports firmware.core and itself."""
