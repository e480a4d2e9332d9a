"""The simulated site: series, physics, battery, Modbus slaves, RTU lines, and the two ways in which time runs on it."""
