"""Site: what is installed (site.json) and what it measures now (one Snapshot a tick)."""
