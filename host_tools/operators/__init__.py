"""Sign messages for boards: acknowledgements and commands."""
