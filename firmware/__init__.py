"""Evenkeel firmware. A layer imports firmware.core and itself; only main.py sees two layers."""
