"""Power conversion systems: a module a type, all with the same attributes and methods (see sunspec_der)."""
