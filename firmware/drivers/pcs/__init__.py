"""Power conversion systems: a module a type, found by its name; all drivers have the same attributes and methods."""
