"""The program in SPEC.md verifies what the firmware wrote, with cryptography and cbor2 alone."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from firmware.log.chain import CHECKPOINT_PATH
from firmware.log.keyring import Keyring
from host_tools.commands import provision
from tests import key_rig, record_examples, spec_example

_ALLOWED = ("cryptography", "cbor2", "_cbor2", "cffi", "_cffi_backend", "pycparser", "typing_extensions")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A folder with the program, records, keys, checkpoint, and the two packages with what they need."""
    folder = tmp_path_factory.mktemp("third")
    (folder / "packages").mkdir()
    for scheme in ("purelib", "platlib"):
        for path in Path(sysconfig.get_path(scheme)).iterdir():
            link = folder / "packages" / path.name
            if path.name.split(".")[0] in _ALLOWED and not link.exists():
                link.symlink_to(path)
    program = spec_example.SPEC.read_text().split("```python\n")[1].split("```")[0]
    (folder / "verify.py").write_text(program)
    vectors, records = record_examples.write_all()
    (folder / "keys.json").write_text(json.dumps({"version": 1, "keys": vectors["keys"]}))
    (folder / "checkpoint.txt").write_text(vectors["checkpoint"])
    return folder, records


def python(folder, code, *arguments):
    """Run code in a Python that sees its standard library and the allowed packages, nothing of ours."""
    start = f"import sys; sys.path.append({str(folder / 'packages')!r})\n"
    return subprocess.run([sys.executable, "-I", "-S", "-c", start + code, *map(str, arguments)], cwd=folder,
                          capture_output=True, text=True, timeout=60)


def verify(case, data, checkpoint="checkpoint.txt"):
    """Run the program of SPEC.md on these records."""
    folder = case[0]
    (folder / "records.cbor").write_bytes(data)
    return python(folder, (folder / "verify.py").read_text(), "records.cbor", "keys.json", checkpoint)


def test_program_is_short():
    program = spec_example.SPEC.read_text().split("```python\n")[1].split("```")[0]
    assert len([line for line in program.splitlines() if line.strip()]) <= 50


def test_it_sees_nothing_of_ours(case):
    done = python(case[0], "import cbor2, cryptography\nprint(sys.path)\nimport firmware")
    assert "No module named 'firmware'" in done.stderr and str(spec_example.ROOT) + "'" not in done.stdout
    assert "No module named 'host_tools'" in python(case[0], "import host_tools").stderr


def test_whole_records_hold(case):
    done = verify(case, b"".join(case[1]))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "8 records of north/cab-1 hold, 8 of them up to the signed end\n"


@pytest.mark.parametrize("name,change", [
    ("removed", lambda r: r[:2] + r[3:]),
    ("swapped", lambda r: [r[1], r[0], *r[2:]]),
    ("repeated", lambda r: r[:2] + r[1:]),
    ("tail cut", lambda r: r[:-1]),
    ("payload bit", lambda r: [r[0][:-80] + bytes([r[0][-80] ^ 1]) + r[0][-79:], *r[1:]]),
    ("signature bit", lambda r: [*r[:-1], r[-1][:-1] + bytes([r[-1][-1] ^ 1])]),
    ("protected header bit", lambda r: [r[0][:8] + bytes([r[0][8] ^ 1]) + r[0][9:], *r[1:]]),
    ("torn", lambda r: [*r[:-1], r[-1][:-1]]),
    ("nothing", lambda r: []),
])
def test_what_was_tampered_with_does_not_hold(case, name, change):
    assert verify(case, b"".join(change(list(case[1])))).returncode != 0, name


def test_foreign_checkpoint_does_not_hold(case):
    folder, records = case
    text = (folder / "checkpoint.txt").read_text()
    for name, old, new in (("size", "\n8\n", "\n7\n"), ("origin", "north/cab-1\n8", "north/cab-2\n8")):
        (folder / "other.txt").write_text(text.replace(old, new, 1))
        assert verify(case, b"".join(records), "other.txt").returncode != 0, name


class Stubborn(Keyring):
    """A keyring that keeps one of its keys, or both, when it should change them: what a thief of a key would do."""

    keeps = (False, False)

    def promote(self):
        """Take the next keys but those kept."""
        kept = self.signers
        super().promote()
        self.signers = tuple(pair[not keep] for keep, pair in
                             zip(self.keeps, zip(kept, self.signers, strict=True), strict=True))


def changed(keeps):
    """Write two records, a change of keys and one more; return the program's arguments as bytes."""
    files = key_rig.CutFiles()
    files.content["secret.bin"] = record_examples.SECRET
    ring = Stubborn(files, lambda count: b"\7" * count)
    ring.keeps = keeps
    chain = key_rig.opened(files, ring)
    for step in (key_rig.record, key_rig.record, None, key_rig.record):
        if step is None:
            key_rig.change(chain)
            old = files.content[CHECKPOINT_PATH]
            chain._page.protect(chain._protected_by(ring.signers))
        else:
            record_examples.drain(chain.write(step()))
    return files.content["journal/00000/00000000.cbor"], files.content[CHECKPOINT_PATH], old


@pytest.mark.parametrize("keeps, words", [
    ((False, False), "4 records of north/cab-1 hold, 4 of them"),
    ((True, False), "record 3: not the key that the last change of keys names"),
    ((False, True), "not its key"), ((True, True), "record 3: not the key")])
def test_change_of_keys_is_followed_and_only_so(case, tmp_path, keeps, words):
    folder = case[0]
    data, checkpoint, at_the_change = changed(keeps)
    (folder / "keys.json").write_text(json.dumps({
        "version": 1, "keys": provision.public_keys(record_examples.SECRET, key_rig.SITE, key_rig.DEVICE)}))
    for content, said in ((checkpoint, words), (at_the_change, words.replace("4 of them", "3 of them"))):
        (folder / "after.txt").write_bytes(content)
        done = verify(case, data, "after.txt")
        assert said in done.stdout + done.stderr and (done.returncode == 0) == (not any(keeps))
