"""The board's MQTT client: umqtt.simple of micropython-lib, one file, pinned, from PyPI."""

import hashlib
import shutil
import tarfile

from host_tools.toolchain import paths, stamp
from host_tools.toolchain.shell import SetupError, run

NAME = "micropython-umqtt.simple"
VERSION = "1.3.4"
_SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
_MEMBER = f"{NAME}-{VERSION}/umqtt/simple.py"
KEY = f"{NAME} {VERSION} {_SHA256}"


def ensure():
    """Provide `umqtt/simple.py` below the cache's folder for it; pip refuses the archive, which has no build file."""
    stamp.once("umqtt", KEY, [paths.UMQTT_FILE], _fetch)


def _fetch():
    folder = paths.UMQTT
    shutil.rmtree(folder, ignore_errors=True)
    paths.UMQTT_FILE.parent.mkdir(parents=True)
    run(f"fetching {NAME} from PyPI",
        [paths.VENV / "bin" / "unearth", f"{NAME}=={VERSION}", "-d", folder], "umqtt")
    archive = folder / f"{NAME}-{VERSION}.tar.gz"
    if not archive.is_file() or hashlib.sha256(archive.read_bytes()).hexdigest() != _SHA256:
        raise SetupError(f"PyPI gave another {NAME} {VERSION} than the one this project was tested with; "
                         "see host_tools/toolchain/umqtt.py")
    with tarfile.open(archive) as opened:
        paths.UMQTT_FILE.write_bytes(opened.extractfile(_MEMBER).read())
