"""Meters: a module a type, a line a register; drivers.profile says what a module states."""
