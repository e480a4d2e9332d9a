"""Where the broker is and who we are to it: `uplink` of site.json, and uplink.json with what must stay secret.

uplink.json is not part of the configuration that records carry the hash of, and nothing of it is ever said: a refusal
names its key, never its value.
"""

import json

from firmware.core.errors import UplinkError

SECRETS_PATH = "uplink.json"
_KEYS = ("user", "password", "ca", "certificate", "key")
_TEXT_MAX = 128


class Settings:
    """The section `uplink` of a configuration and the secrets in the board's folder."""

    def __init__(self, config, secrets):
        self.host = config["host"]
        self.port = config["port"]
        self.tls = config["tls"] == 1
        self.keepalive_s = config["keepalive_s"]
        self.status_ms = config["status_s"] * 1000
        self.retry_ms = config["retry_s"] * 1000
        self.retry_max_ms = config["retry_max_s"] * 1000
        self.ack_ms = config["ack_s"] * 1000
        self.batch_bytes = config["batch_bytes"]
        self.user = secrets.get("user")
        self.password = secrets.get("password")
        self.files = [secrets.get(name) for name in _KEYS[2:]]  # of the certificates: CA, ours, its key


def load(config, read):
    """Return the Settings; `read(path)` reads the board's folder. UplinkError says what is wrong, never with what."""
    data = read(SECRETS_PATH)
    secrets = {}
    if data is not None:
        try:
            secrets = json.loads(data.decode())
        except (ValueError, UnicodeError):
            raise UplinkError("SECRETS", "uplink.json: not JSON; check commas, quotes and brackets")
    if not isinstance(secrets, dict):
        raise UplinkError("SECRETS", "uplink.json: must be an object {...}")
    for key in secrets:
        if key not in _KEYS:
            raise UplinkError("SECRETS", "uplink.json: has a key that is unknown; allowed are " + ", ".join(_KEYS))
        if not isinstance(secrets[key], str) or not 0 < len(secrets[key].encode()) <= _TEXT_MAX:
            raise UplinkError("SECRETS", "uplink.json: %s must be a text of 1 to %d bytes" % (key, _TEXT_MAX))
    for pair in (("user", "password"), ("certificate", "key")):
        if (pair[0] in secrets) != (pair[1] in secrets):
            raise UplinkError("SECRETS", "uplink.json: %s and %s go together; give both or none" % pair)
    if config["tls"] and "ca" not in secrets:
        raise UplinkError("SECRETS", "uplink.json: ca is missing; uplink.tls needs the file that says whom to trust")
    return Settings(config, secrets)
