"""Battery management systems as a source of the state of charge: a module a type, found by its name."""
