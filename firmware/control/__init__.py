"""Control: from one Snapshot to one Setpoint. Small integers only, nothing is allocated after start."""
