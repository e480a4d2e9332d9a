"""A web page about the boards of a listener's store: read-only, on this machine alone unless told otherwise."""
