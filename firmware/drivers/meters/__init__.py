"""Meters: a module a type. TABLE has one line a register; the rest is what a request to this type must respect."""
