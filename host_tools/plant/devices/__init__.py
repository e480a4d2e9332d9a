"""Slaves of the simulated site: a register image each, as the real device shows it on the wire."""
