"""Evidence on the board: records, chain, signature, checkpoint, journal on flash. SPEC.md is the format."""
