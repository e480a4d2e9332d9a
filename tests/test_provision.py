"""Keys: derivation, files, refusals."""

import hashlib
import hmac
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools import cli
from host_tools.commands import provision
from host_tools.errors import ToolError
from host_tools.evidence import keys
from tests.evidence_writer import Device, kid


def test_secret_is_private_and_never_overwritten(tmp_path):
    rows = provision.make(tmp_path / "board", "north", "cab-1")
    path = tmp_path / "board" / "secret.bin"
    secret = path.read_bytes()
    assert len(secret) == 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ToolError, match="exists already"):
        provision.make(tmp_path / "board", "north", "cab-1")
    assert path.read_bytes() == secret
    again = provision.make(tmp_path / "board", "north", "cab-1", force=True)
    assert path.read_bytes() != secret and again != rows


def test_public_keys_follow_from_the_secret(tmp_path):
    device = Device(4)
    rows = provision.make(tmp_path, device.site, device.device, device.secret)
    assert rows == device.key_rows()
    registry = keys.load(tmp_path / "keys.json")
    assert registry.find(kid(device.record_key)).use == "record"
    assert registry.find(kid(device.checkpoint_key)).use == "checkpoint"


def test_derivation_takes_the_first_valid_scalar(monkeypatch):
    secret = bytes(range(32))
    first = int.from_bytes(hmac.digest(secret, b"evenkeel record key 1\0", "sha256"), "big")
    assert provision.private_number(secret, "record") == first
    monkeypatch.setattr(provision, "ORDER", first)
    following = (hmac.digest(secret, b"evenkeel record key 1" + bytes((n,)), "sha256") for n in range(256))
    expected = next(n for n in (int.from_bytes(x, "big") for x in following) if 1 <= n < first)
    assert provision.private_number(secret, "record") == expected


def test_key_pair_signs_and_verifies(tmp_path):
    provision.make(tmp_path, "north", "cab-1", b"\5" * 32)
    private = ec.derive_private_key(provision.private_number(b"\5" * 32, "checkpoint"), ec.SECP256R1())
    key = keys.load(tmp_path / "keys.json").find(kid(private))
    der = private.sign(b"text", ec.ECDSA(keys.hashes.SHA256()))
    assert key.signed_text(b"text", der) and not key.signed_text(b"other", der)
    assert not key.signed_text(b"text", b"no signature")
    assert not key.signed(hashlib.sha256(b"text").digest(), bytes(64))


def test_registry_collects_boards_once(tmp_path):
    registry = tmp_path / "keys.json"
    for name in ("a", "b"):
        rows = provision.make(tmp_path / name, "north", name)
        assert provision.register(registry, rows) == 2
        assert provision.register(registry, rows) == 0
    assert keys.load(registry).devices() == {("north", "a"), ("north", "b")}


def test_command_line(tmp_path, capsys):
    argv = ["provision", "--out", str(tmp_path / "x"), "--site", "s", "--device", "d", "--seed", "7",
            "--register", str(tmp_path / "all.json")]
    assert cli.main(argv) == 0
    out = capsys.readouterr().out
    assert "tests only" in out and "secret.bin" in out
    assert cli.main(argv) == 2 and "exists already" in capsys.readouterr().err
    first = (tmp_path / "x" / "secret.bin").read_bytes()
    assert cli.main([*argv, "--force"]) == 0
    assert (tmp_path / "x" / "secret.bin").read_bytes() == first


@pytest.mark.parametrize("site, device", [
    ("", "d"), ("a/b", "d"), ("a b", "d"), ("a+b", "d"), ("s", "d" * 33), ("s", "\u00e9")])
def test_names_that_a_checkpoint_cannot_carry_are_refused(tmp_path, site, device):
    with pytest.raises(ToolError, match="is not allowed"):
        provision.make(tmp_path, site, device)
    assert not list(tmp_path.iterdir())


def _document():
    return {"version": 1, "keys": Device().key_rows()}


@pytest.mark.parametrize("change, words", [
    (lambda d: d.update(version=2), "is not"), (lambda d: d.update(keys=[]), "holds no key"),
    (lambda d: d["keys"].append(d["keys"][0]), "twice"), (lambda d: d["keys"][0].pop("use"), r"keys\[0\]"),
    (lambda d: d["keys"][1].update(kid="00" * 8), r"keys\[1\].kid"),
    (lambda d: d["keys"][0].update(x="0" * 64), "no point"),
    (lambda d: d["keys"][0].update(x="zz"), ".x must"),
    (lambda d: d["keys"][0].update(alg="none"), "ES256"),
    (lambda d: d["keys"][0].update(revoked_s="x"), "revoked_s"),
    (lambda d: d["keys"].__setitem__(0, 5), "exactly"), (lambda d: d["keys"][0].update(site=5), ".site must"),
])
def test_unusable_key_files_name_the_place(tmp_path, change, words):
    document = _document()
    change(document)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ToolError, match=words):
        keys.load(path)


def test_key_file_that_is_no_json_is_typed(tmp_path):
    path = tmp_path / "keys.json"
    for content in (b"", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(ToolError, match="is not JSON"):
            keys.load(path)


def _public(tmp_path, **change):
    rows = [row | change for row in Device().key_rows()]
    path = tmp_path / "public.json"
    path.write_text(json.dumps({"version": 1, "keys": rows}))
    return path, rows


def test_keys_that_a_board_has_made_itself_are_taken(tmp_path, capsys):
    path, rows = _public(tmp_path)
    argv = ["provision", "--out", str(tmp_path / "x"), "--site", rows[0]["site"], "--device", rows[0]["device"],
            "--public", str(path), "--register", str(tmp_path / "all.json")]
    assert cli.main(argv) == 0 and "2 keys added" in capsys.readouterr().out
    assert json.loads((tmp_path / "x" / "keys.json").read_text())["keys"] == rows
    assert not (tmp_path / "x" / "secret.bin").exists()
    assert keys.load(tmp_path / "all.json").devices() == {(rows[0]["site"], rows[0]["device"])}
    for more in (["--seed", "1"], ["--force"]):
        assert cli.main([*argv, *more]) == 2 and "itself" in capsys.readouterr().err
    argv[4] = "elsewhere"
    assert cli.main(argv) == 2 and "came from" in capsys.readouterr().err


def test_public_keys_that_are_none_are_refused(tmp_path, capsys):
    path, rows = _public(tmp_path, x="0" * 64)
    argv = ["provision", "--out", str(tmp_path / "x"), "--site", rows[0]["site"], "--device", rows[0]["device"],
            "--public", str(path)]
    assert cli.main(argv) == 2 and "no point" in capsys.readouterr().err
    path.unlink()
    assert cli.main(argv) == 2 and not (tmp_path / "x").exists()
