"""Meters: a module a type. TABLE has one line a register; the rest is what its requests must respect."""
