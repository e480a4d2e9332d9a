"""Look after the boards of many sites: how they are, what their records say together, whether they hold."""
