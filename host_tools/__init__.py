"""Host tools: the simulated site, the verifier, reports, and everything that talks to a board."""
