"""The name that umqtt imports and this board has not: its sockets are firmware.hal.net_bridge's, handed in."""
