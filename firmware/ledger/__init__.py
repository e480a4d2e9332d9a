"""Ledger: energy by source and use, its carbon, and the quarter hours it is cut into."""
