"""Make methods cheap to call: MicroPython looks for a method in the object before it looks in the class."""


def bind(thing, names):
    """Keep the methods of these names in the object itself: a call then costs half. Start-up only."""
    for name in names:
        setattr(thing, name, getattr(thing, name))
