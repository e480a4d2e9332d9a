"""Uplink: records, checkpoint, events and state to an MQTT broker, acknowledgements and commands from it. Optional."""
