"""Genset controllers: a module a type, found by its name; all drivers have the same methods."""
