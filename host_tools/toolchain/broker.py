"""The MQTT broker that the tests run against: mosquitto, from the PATH or from Debian's package."""

import os
import shutil

from host_tools.toolchain import debian
from host_tools.toolchain.shell import SetupError

_PACKAGES = ("mosquitto", "mosquitto-clients")
_FOLDERS = "/usr/sbin:/usr/local/sbin"  # not on everybody's PATH


def find():
    """Return the path of mosquitto, or None."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":" + _FOLDERS)


def ensure():
    """Provide mosquitto and its clients."""
    if find() and shutil.which("mosquitto_sub"):
        return
    if not debian.is_debian():
        raise SetupError("mosquitto and its clients are not on the PATH; install your system's packages "
                         "(often mosquitto and mosquitto-clients) and start again")
    debian.install(_PACKAGES)
