"""One RS-485 line: the Modbus RTU master, its queue, its judge, and what it can carry."""
