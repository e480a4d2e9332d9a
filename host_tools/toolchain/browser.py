"""The browser in which the tests open a report: Chromium from the PATH, or Debian's package. Nothing else needs it."""

import os
import shutil

from host_tools.toolchain import debian
from host_tools.toolchain.shell import SetupError, say

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PACKAGES = ("chromium", "fonts-dejavu-core")


def find():
    """Return the path of Chromium, or None; EVENKEEL_CHROMIUM goes first."""
    return os.environ.get("EVENKEEL_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


def ensure():
    """Provide Chromium where that is possible; where not, say so: the tests that open a report are skipped then."""
    if find():
        return
    try:
        if not debian.is_debian():
            raise SetupError("no Chromium is on the PATH; install your system's package (often chromium)")
        debian.install(_PACKAGES)
    except SetupError as error:
        say(f"{error}; without it the tests that open a report in a browser are skipped")
