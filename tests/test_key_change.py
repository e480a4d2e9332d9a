"""A change of keys: what signs what, power cuts at every write, keys made on the board, refusals."""

import argparse
import json

import pytest

from firmware.core.errors import LogError
from firmware.log import keyring, keys
from firmware.log.chain import PUBLIC_PATH
from firmware.log.keyring import Keyring
from firmware.log.signer import Signer
from host_tools.commands import provision, simulate
from host_tools.evidence import keys as host_keys
from host_tools.plant.simulation import Simulation
from tests.key_rig import DEVICE, SITE, CutFiles, PowerCut, Reader, change, opened, record
from tests.record_examples import SECRET, drain
from tests.simulation_rig import SITES


def seeds():
    """Return a source of entropy that everybody knows."""
    count = [0]

    def entropy(n):
        count[0] += 1
        return bytes([count[0]]) * n

    return entropy


def public(derive, secret=SECRET):
    """Return (kid, x, y) of a key."""
    signer = Signer(derive(secret))
    drain(signer.prepare())
    return signer.kid, signer.spki[-64:-32], signer.spki[-32:]


FIRST = public(keys.record_scalar), public(keys.checkpoint_scalar)


def provisioned(at=None, how="after"):
    """Return the files of a board with the secret of the examples."""
    files = CutFiles(at, how)
    files.content["secret.bin"] = SECRET
    return files


def test_the_old_key_signs_the_change_and_the_new_one_what_follows():
    files = provisioned()
    chain = opened(files, Keyring(files, seeds()))
    drain(chain.write(record()))
    for expected in (1, 2):
        change(chain)
        drain(chain.write(record()))
        reader = Reader(files, *FIRST)
        assert (reader.changes, reader.size) == (expected, chain.size) and chain.anchor_error is None
    assert chain.size == 5 and files.content["secret.bin"] != SECRET and "secret.new" not in files.content
    # after a restart, too, and with the head gone
    for path in ("", "journal/head.cbor"):
        files.content.pop(path, None)
        ring = Keyring(files)
        chain = opened(files, ring)
        drain(chain.write(record()))
        assert Reader(files, *FIRST).size == chain.size and ring.news == []


def test_the_next_secret_takes_the_old_one_and_the_seed():
    made = {keys.next_secret(old, seed) for old in (SECRET, bytes(32)) for seed in (bytes(32), b"\1" * 32)}
    assert len(made) == 4 and all(len(secret) == 32 for secret in made)


def story(files):
    """Open, write, change, write; return how many writes each step took."""
    chain = opened(files, Keyring(files, seeds()))
    drain(chain.write(record()))
    begin = files.writes
    change(chain)
    end = files.writes
    drain(chain.write(record()))
    return begin, end


BEGIN, END = story(provisioned())


@pytest.mark.parametrize("how", ["before", "middle", "after"])
@pytest.mark.parametrize("at", range(END + 1))
def test_power_cut_at_every_write_leaves_one_valid_pair(at, how):
    files = provisioned(at, how)
    with pytest.raises(PowerCut):
        story(files)
    files = files.after_the_cut()
    ring = Keyring(files, seeds())
    chain = opened(files, ring)
    reader = Reader(files, *FIRST)
    assert reader.size == chain.size == len(reader.leaves) and "KEYS_OTHER" not in dict(ring.news)
    assert reader.changes <= 1 and (at >= BEGIN or reader.changes == 0)
    assert "secret.new" not in files.content and len(files.content["secret.bin"]) == 32
    # and the board can go on, and change again
    drain(chain.write(record()))
    change(chain)
    drain(chain.write(record()))
    after = Reader(files, *FIRST)
    assert after.changes == reader.changes + 1 and after.size == reader.size + 3
    assert {row["kid"] for row in json.loads(files.content[PUBLIC_PATH])["keys"]} >= {after.key[0].hex()}


def test_cut_before_the_record_is_told_and_changes_nothing():
    files = provisioned()
    chain = opened(files, Keyring(files, seeds()))
    drain(chain.write(record()))
    drain(chain.stage_keys(record()))
    assert files.content["secret.new"] != files.content["secret.bin"]
    ring = Keyring(files.after_the_cut(), seeds())
    opened(ring._files, ring)
    assert [code for code, _ in ring.news] == ["KEYS_KEPT"]
    assert ring.signers[0].kid == FIRST[0][0] and "secret.new" not in ring._files.content


def test_flash_that_refuses_the_rename_does_not_undo_the_change():
    class Full(CutFiles):
        def rename(self, old, new):
            if new == "secret.bin":
                raise OSError(28)
            super().rename(old, new)

    files = Full()
    files.content["secret.bin"] = SECRET
    ring = Keyring(files, seeds())
    chain = opened(files, ring)
    drain(chain.write(record()))
    change(chain)
    drain(chain.write(record()))
    assert [code for code, _ in ring.news] == ["KEYS_RENAME"] and Reader(files, *FIRST).changes == 1
    with pytest.raises(OSError):  # a second change has no room before the first has its name
        drain(chain.stage_keys(record()))
    # the next start puts it right
    files = files.after_the_cut()
    chain = opened(files, Keyring(files))
    drain(chain.write(record()))
    assert "secret.new" not in files.content and Reader(files, *FIRST).size == 4


def test_board_without_entropy_wants_it_from_elsewhere_and_uses_it_once():
    files = provisioned()
    chain = opened(files, Keyring(files, lambda count: None))
    drain(chain.write(record()))
    for content in (None, b"", bytes(31)):
        if content is not None:
            files.content["entropy.bin"] = content
        with pytest.raises(LogError) as refused:
            drain(chain.stage_keys(record()))
        assert refused.value.code == "KEY_ENTROPY" and "entropy.bin" in refused.value.detail
    assert Reader(files, *FIRST).changes == 0
    files.content["entropy.bin"] = b"\7" * 32
    change(chain)
    drain(chain.write(record()))
    assert "entropy.bin" not in files.content and Reader(files, *FIRST).changes == 1
    assert files.content["secret.bin"] == keys.next_secret(SECRET, b"\7" * 32)


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("how", ["before", "middle", "after"])
def test_board_with_entropy_makes_its_own_first_keys(at, how):
    files = CutFiles(at, how)
    with pytest.raises(PowerCut):
        opened(files, Keyring(files, seeds()))
    files = files.after_the_cut()
    ring = Keyring(files, seeds())
    chain = opened(files, ring)
    drain(chain.write(record()))
    secret = files.content["secret.bin"]
    reader = Reader(files, public(keys.record_scalar, secret), public(keys.checkpoint_scalar, secret))
    assert reader.size == 1 and len(secret) == 32


def test_lost_secret_is_refused_not_replaced():
    files = provisioned()
    drain(opened(files, Keyring(files, seeds())).write(record()))
    del files.content["secret.bin"]
    for gone in ("", "journal/head.cbor"):
        files.content.pop(gone, None)
        with pytest.raises(LogError) as refused:
            opened(files, Keyring(files, seeds()))
        assert refused.value.code == "SECRET" and "secret.bin" not in files.content


def test_other_secret_is_told():
    files = provisioned()
    drain(opened(files, Keyring(files)).write(record()))
    files.content["secret.bin"] = b"\5" * 32
    ring = Keyring(files)
    opened(files, ring)
    assert [code for code, _ in ring.news] == ["KEYS_OTHER"]
    ring = Keyring(files)  # said once: from now on it is the key that the journal goes on with
    opened(files, ring)
    assert ring.news == []


def test_public_keys_are_those_that_the_host_derives(tmp_path):
    files = provisioned()
    opened(files, Keyring(files))
    path = tmp_path / "public.json"
    path.write_bytes(files.content[PUBLIC_PATH])
    assert json.loads(path.read_bytes())["keys"] == provision.public_keys(SECRET, SITE, DEVICE)
    chain = opened(files, Keyring(files, seeds()))
    drain(chain.write(record()))
    change(chain)
    path.write_bytes(files.content[PUBLIC_PATH])
    rows = json.loads(path.read_bytes())["keys"]
    assert rows[2:] == provision.public_keys(files.content["secret.bin"], SITE, DEVICE)
    assert len(host_keys.load(path).keys) == 4


def test_names_of_files_are_those_of_the_specification():
    assert (keyring.SECRET_PATH, keyring.NEXT_PATH, keyring.ENTROPY_PATH, PUBLIC_PATH) == (
        "secret.bin", "secret.new", "entropy.bin", "public.json")


@pytest.mark.parametrize("vm", ("cpython", "micropython"))
def test_station_changes_its_keys_when_the_operator_asks(tmp_path, vm):
    (tmp_path / "load.csv").write_text("time_s,power_w\n0,800000\n2000,900000\n")
    (tmp_path / "events.csv").write_text(
        "time_s,device,event,value\n100,board,change_keys,\n1900,board,change_keys,\n")
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    args = parser.parse_args(["--site", str(SITES / "edge.json"), "--load", str(tmp_path / "load.csv"), "--events",
                              str(tmp_path / "events.csv"), "--vm", vm, "--out", str(tmp_path / "out")])
    simulate.check(args)
    Simulation(args).carry_out()
    files = CutFiles()
    run = tmp_path / "out" / "run"
    files.content = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    config = json.loads((SITES / "edge.json").read_text())["site"]
    rows = json.loads((run / "keys.json").read_text())["keys"]
    first = [(bytes.fromhex(row["kid"]), bytes.fromhex(row["x"]), bytes.fromhex(row["y"])) for row in rows]
    reader = Reader(files, *first, origin=f"{config['id']}/{config['device']}")
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    told = {event["code"] for event in events if event["source"] == "keys"}
    # asked at 100 s, made behind the first interval, as there has to be a pool; the second has no entropy left
    assert told == {"KEYS_CHANGED", "KEYS_REFUSED"} and reader.changes == 1
    assert [(row[2], row[10]) for row in reader.payloads][:3] == [(1, 900_000), (3, 0), (1, 900_000)]
    interval, change_row, after = reader.payloads[:3]
    assert change_row[9] == interval[9] + 900_000 == after[9]
    assert interval[28] == change_row[27] == change_row[28] == after[27] and reader.size == len(reader.leaves)
    assert "entropy.bin" not in files.content and (run / "secret.bin").read_bytes() != SECRET
