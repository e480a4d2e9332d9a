"""Talk to a board over its cable, whether its firmware runs or not."""
