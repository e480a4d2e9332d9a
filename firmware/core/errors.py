"""Typed errors: one class a layer, each with a short stable code and one sentence that says what to do."""


class Error(Exception):
    """What the firmware raises: `code` for programs, `detail` for people (what, where, what is allowed)."""

    def __init__(self, code, detail=""):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self):
        return self.code + ": " + self.detail if self.detail else self.code


class ConfigError(Error):
    """A site description, a table of devices or a call of the scheduler is not usable as it stands."""


class BusError(Error):
    """A bus or a device on it did not do what its table says."""


class LedgerError(Error):
    """The books of energy or carbon were asked for something they cannot hold."""


class LogError(Error):
    """A record, the chain, the journal or its encoding is wrong, or the flash refused it."""


class HalError(Error):
    """The machine below lacks something or refused it."""


class UplinkError(Error):
    """The way to the host is not there or broke."""
