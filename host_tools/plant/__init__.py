"""The simulated site: series, physics, Modbus slaves, RTU lines, and the two ways in which time passes."""
