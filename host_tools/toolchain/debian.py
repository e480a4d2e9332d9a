"""Debian's packages: installed when missing, or fetched from a newer release into the cache."""

import functools
import os
import shutil
import sys
from pathlib import Path

from host_tools.toolchain import paths
from host_tools.toolchain.shell import SetupError, capture, run

_OS_RELEASE = Path("/etc/os-release")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FIRST_WITH_VM = 13
_FIRST_SUITE_WITH_VM = "trixie"


def os_release():
    """Return the machine's os-release fields, empty where there is no such file."""
    if not _OS_RELEASE.is_file():
        return {}
    pairs = (line.split("=", 1) for line in _OS_RELEASE.read_text().splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def is_debian():
    """Return True on Debian 12 or newer (testing and unstable included)."""
    fields = os_release()
    return fields.get("ID") == "debian" and int(fields.get("VERSION_ID", "99")) >= 12


def suite():
    """Return the release to take MicroPython from: this machine's own, or the first one that has it."""
    fields = os_release()
    if int(fields.get("VERSION_ID", "99")) < _FIRST_WITH_VM:
        return _FIRST_SUITE_WITH_VM
    return fields.get("VERSION_CODENAME", "sid")


def missing(packages):
    """Return those of the packages that are not installed."""
    return [name for name in packages if not _installed(name)]


def _installed(name):
    status = capture(["dpkg-query", "-W", "-f", "${db:Status-Status}", name])
    return status is not None and "installed" in status.split("\n")


def install(packages):
    """Install what is missing, as root or through sudo; raise SetupError with the exact command otherwise."""
    wanted = missing(packages)
    if not wanted:
        return
    names = " ".join(wanted)
    prefix = _privilege(names)
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run("refreshing Debian's package lists", [*prefix, "apt-get", "update"], "apt-update", env=env)
    run(f"installing Debian's packages {names}",
        [*prefix, "apt-get", "install", "-y", "--no-install-recommends", *wanted], "apt-install", env=env)


def _privilege(names):
    if os.geteuid() == 0:
        return []
    advice = f"run this as root, then start again: apt-get install -y --no-install-recommends {names}"
    if not shutil.which("sudo"):
        raise SetupError(f"Debian's packages {names} are missing and there is no sudo; {advice}")
    if capture(["sudo", "-n", "true"]) is None and not _sudo_may_ask():
        raise SetupError(f"Debian's packages {names} are missing and sudo wants a password; {advice}")
    return ["sudo", "--preserve-env=DEBIAN_FRONTEND"]


def _sudo_may_ask():
    # sudo asks on the terminal itself, so it works although the command gets no standard input
    return sys.stdin is not None and sys.stdin.isatty() and not os.environ.get("CI")


class Suite:
    """One Debian release, reached with lists and caches of our own: the machine's stay untouched."""

    def __init__(self, name):
        self.name = name
        self._dir = paths.APT / name
        self._options = None

    def _apt(self, command, *words):
        return [command, *self._options, *words]

    def open(self):
        """Write our own sources list for the machine's mirror and fetch the package lists."""
        if self._options:
            return
        if not _KEYRING.is_file():
            install(["debian-archive-keyring"])
        for folder in ("lists/partial", "cache/archives/partial"):
            (self._dir / folder).mkdir(parents=True, exist_ok=True)
        sources = self._dir / "sources.list"
        site = f"[signed-by={_KEYRING}] {_mirror()} {self.name} main\n"
        sources.write_text(f"deb {site}deb-src {site}")
        settings = {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
                    "Dir::State::Lists": self._dir / "lists", "Dir::Cache": self._dir / "cache"}
        if os.geteuid() == 0:
            # apt's own download user may not reach a checkout in somebody's home folder
            settings["APT::Sandbox::User"] = "root"
        self._options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        run(f"fetching the package lists of Debian {self.name}",
            self._apt("apt-get", "update"), "suite-update")

    def depends(self, package):
        """Return the names of the packages that a package needs directly."""
        self.open()
        listing = capture(self._apt("apt-cache", "depends", package)) or ""
        lines = (line.strip() for line in listing.splitlines())
        return [line.split(": ", 1)[1] for line in lines if line.startswith("Depends: ")]

    def unpack(self, packages, folder):
        """Fetch binary packages and unpack them all into one folder."""
        self.open()
        debs = self._dir / "debs"
        shutil.rmtree(debs, ignore_errors=True)
        debs.mkdir(parents=True)
        run(f"fetching {' '.join(packages)} from Debian {self.name}",
            self._apt("apt-get", "download", *packages), "suite-download", cwd=debs)
        for deb in sorted(debs.glob("*.deb")):
            run(f"unpacking {deb.name}", ["dpkg", "-x", deb, folder], "suite-unpack")

    def source(self, package, folder):
        """Fetch and unpack a source package below `folder`; return the folder of the unpacked source."""
        self.open()
        run(f"fetching the source of {package} from Debian {self.name}",
            self._apt("apt-get", "source", package), "suite-source", cwd=folder)
        found = [path for path in folder.iterdir() if path.is_dir()]
        if len(found) != 1:
            raise SetupError(f"the source package {package} did not unpack into one folder; see {paths.LOGS}")
        return found[0]


@functools.cache
def reach(name):
    """Return the one Suite of this name, so that its package lists are fetched once a run."""
    return Suite(name)


def _mirror():
    """Return the address of the Debian mirror this machine itself uses, whatever format its lists have."""
    listing = capture(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)",
                       "Created-By: Packages"])
    rows = [line.split("|") for line in (listing or "").splitlines() if "|" in line]
    fields = os_release()
    own = {fields.get("VERSION_CODENAME"), "stable", "oldstable", "testing", "unstable", "sid"}
    for uri, release in rows:
        if release in own:
            return uri
    raise SetupError("this machine's apt has no entry for Debian's main archive; add one to its sources "
                     "(suite {}), or put micropython 1.24 or newer on the PATH".format(
                         fields.get("VERSION_CODENAME", "stable")))
