"""The chain on real files writes the vectors' first six records byte for byte, and the host verifies them."""

import json
import subprocess
import sys
from base64 import b64encode

from firmware.hal.files import Files
from firmware.log import checkpoint
from firmware.log.chain import CHECKPOINT_PATH, Chain
from firmware.log.keyring import Keyring
from tests import record_examples as examples
from tests.record_examples import drain


def start(files):
    """Return the chain after a start of the board."""
    identity = examples.SITE, examples.DEVICE, examples.FIRMWARE, examples.CONFIG, examples.FACTOR_TABLE
    chain = Chain(files, *identity, Keyring(files))
    drain(chain.open())
    return chain


def tell(files, witness):
    """Put what a witness says into the board's folder, or take it away."""
    if witness is None:
        if files.size("witness.txt"):
            files.remove("witness.txt")
        return
    size, root, time_s = witness
    origin = checkpoint.origin(examples.SITE, examples.DEVICE)
    blob = b64encode(b"keyi" + time_s.to_bytes(8, "big") + bytes(64)).decode()
    body, own = f"{origin}\n{size}\n{b64encode(root).decode()}\n", f"\u2014 {origin} {'A' * 96}\n"
    files.replace("witness.txt", f"{body}\n{own}\u2014 witness.example {blob}\n".encode())


def board(tmp_path):
    """Let a board write the story over two starts; return its Files."""
    files = Files(str(tmp_path))
    files.replace("secret.bin", examples.SECRET)
    chain = start(files)
    rows = json.loads(examples.VECTORS.read_text())["records"]
    for (_, boot, interval), row in zip(examples.story()[:6], rows):
        if row["fields"].get("witness"):
            interval.witness[1] = bytes.fromhex(row["fields"]["witness"][1])
        if boot != chain.boot:
            chain = start(files)
        interval.flags &= ~(1 << 1)  # the chain knows
        tell(files, interval.witness if interval.kind == 1 else None)
        drain(chain.write(interval))
    return files


def test_journal_is_the_vectors(tmp_path):
    vectors = json.loads(examples.VECTORS.read_text())
    rows = vectors["records"][:6]
    files = board(tmp_path)
    assert files.read("journal/00000/00000000.cbor").hex() == "".join(row["record"] for row in rows)
    assert start(files).boot == 3
    note = files.read(CHECKPOINT_PATH).decode()
    assert note.startswith(f"{examples.SITE}/{examples.DEVICE}\n6\n")


def test_host_verifies_what_the_board_wrote(tmp_path):
    vectors = json.loads(examples.VECTORS.read_text())
    board(tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps({"version": 1, "keys": vectors["keys"]}))
    done = subprocess.run(
        [sys.executable, "-m", "host_tools", "verify", tmp_path / "journal" / "00000" / "00000000.cbor", "--keys",
         tmp_path / "keys.json", "--checkpoint", tmp_path / CHECKPOINT_PATH], cwd=examples.ROOT,
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "integrity     PASS" in done.stdout and "completeness  PASS" in done.stdout
