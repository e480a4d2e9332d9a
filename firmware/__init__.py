"""Evenkeel firmware. A layer imports firmware.core and itself; only main.py and wiring.py see two layers."""
