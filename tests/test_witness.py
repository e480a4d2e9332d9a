"""Witnesses: two histories, a board set back, a cut end, each found in the files alone; single proofs."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from host_tools.cli import main
from host_tools.evidence import cosignature, keys, tlog_proof
from tests.evidence_writer import checkpoint, day, keys_document, root
from tests.tamper import HOLDS, Case, found, verdicts


class Site:
    """A board's folder and two witnesses of other owners, worked by their command lines."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys
        self.device = day(1).device
        self.keys = folder / "keys.json"
        self.keys.write_text(json.dumps(keys_document(self.device)))
        self.run = folder / "run"
        self.run.mkdir()
        for name in ("w1", "w2"):
            assert main(["witness", "--state", str(folder / name), "--init", f"witness.example/{name}"]) == 0
            vkey = capsys.readouterr().out.strip()
            assert main(["keys", str(self.keys), "--add-witness", vkey, "--reason", "test"]) == 0
            capsys.readouterr()

    def put(self, records, name="run", anchor=None):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "records.cbor").write_bytes(b"".join(records))
        (folder / "checkpoint.txt").write_bytes(anchor or checkpoint(self.device, records))
        return folder

    def witness(self, name, path=None):
        """Run one witness: (exit code, what it said)."""
        out = self.folder / f"{name}.txt"
        code = main(["witness", str(path or self.run), "--keys", str(self.keys), "--state", str(self.folder / name),
                     "--out", str(out)])
        return code, self.capsys.readouterr().out

    def verify(self, *witnesses, path=None):
        """Verify against what witnesses gave out: (exit code, JSON)."""
        given = [part for name in witnesses for part in ("--witness", str(self.folder / f"{name}.txt"))]
        code = main(["verify", str(path or self.run), "--keys", str(self.keys), *given, "--json"])
        report = json.loads(self.capsys.readouterr().out)
        return code, {item["code"] for item in report["findings"]}


@pytest.fixture
def site(tmp_path, capsys):
    return Site(tmp_path, capsys)


def test_a_growing_journal_is_cosigned_again_and_again(site):
    records = day(40).sealed()
    for size in (1, 7, 8, 31, 31, 40):
        site.put(records[:size])
        code, said = site.witness("w1")
        assert code == 0 and f"{size} records" in said
        assert site.verify("w1") == (0, set())
    text = (site.folder / "w1.txt").read_text()
    assert len(text.split("\n\n")[1].splitlines()) == 2 and "witness.example/w1" in text


def test_two_witnesses_that_saw_different_histories(site):
    one, other = day(10).sealed(), day(10, seed=2).sealed()
    site.put(one)
    assert site.witness("w1")[0] == 0
    site.put(other)
    assert site.witness("w2")[0] == 0
    assert site.verify("w2") == (0, set())
    code, codes = site.verify("w1", "w2")
    assert code == 1 and codes == {"HISTORY_FORKED", "ROOT_DIFFERS"}
    code, said = site.witness("w1")  # and shown the other history, the first one refuses
    assert code == 1 and "WITNESS_FORKED" in said


def test_a_fork_that_has_grown_is_refused_and_found(site):
    one, other = day(10).sealed(), day(14, seed=2).sealed()
    site.put(one)
    site.witness("w1")
    site.put(other)
    code, said = site.witness("w1")
    assert code == 1 and "WITNESS_FORKED: the first 10 of its 14 records" in said
    assert site.verify("w1") == (1, {"ROOT_DIFFERS"})
    assert "\n10\n" in (site.folder / "w1.txt").read_text()


def test_a_board_set_back_to_a_backup(site):
    records = day(20).sealed()
    site.put(records)
    site.witness("w1")
    board = day(12)
    board.random.seed(99)
    for _ in range(4):
        board.interval()
    site.put(board.sealed(records[:12]))  # records 0..11 as before, then others, and its own checkpoint
    code, said = site.witness("w1")
    assert code == 1 and "WITNESS_SMALLER" in said
    assert site.verify("w1") == (1, {"TAIL_CUT"})
    for _ in range(8):
        board.interval()
    site.put(board.sealed(records[:12]))  # and once it has grown past
    assert site.witness("w1")[0] == 1
    assert site.verify("w1") == (1, {"ROOT_DIFFERS"})


def test_a_week_cut_off(site):
    records = day(40).sealed()
    site.put(records)
    site.witness("w1")
    site.put(records[:33])
    assert site.verify() == (0, set())  # the owner can sign a shorter end
    assert site.verify("w1") == (1, {"TAIL_CUT"})


def test_a_request_carries_its_own_proof(site):
    records = day(30).sealed()
    request = site.folder / "request.txt"
    for old, size in ((0, 9), (9, 16), (16, 30)):
        site.put(records[:size])
        assert main(["prove", str(site.run), "--keys", str(site.keys), "--old", str(old), "-o", str(request)]) == 0
        site.capsys.readouterr()
        assert site.witness("w1", request) == (
            0, f"cosigned: north/cab-1, {size} records (seen before: {old}), as witness.example/w1\n")
    code, said = site.witness("w1", request)
    assert code == 1 and "WITNESS_OLD_SIZE" in said
    request.write_bytes(request.read_bytes().replace(b"old 16", b"old 30"))
    assert "WITNESS_FORKED" in site.witness("w1", request)[1]


def test_what_is_not_signed_by_the_board_is_not_cosigned(site):
    records = day(5).sealed()
    note = checkpoint(site.device, records)
    for anchor, code in ((note.replace(b"\n5\n", b"\n4\n"), "CHECKPOINT_SIGNATURE"), (b"x", "CHECKPOINT_BROKEN"),
                         (checkpoint(site.device, records[:3] + records[4:], size=5), "ROOT_DIFFERS")):
        site.put(records, anchor=anchor)
        exit_code, said = site.witness("w1")
        assert exit_code == 1 and code in said
    assert not (site.folder / "w1.txt").exists()


def test_the_state_is_on_disk_before_the_cosignature(site, monkeypatch):
    site.put(day(5).sealed())
    seen = []
    genuine = cosignature.cosign
    monkeypatch.setattr(cosignature, "cosign", lambda *a: seen.append(
        json.loads((site.folder / "w1" / "state.json").read_text())["logs"]["north/cab-1"]["size"]) or genuine(*a))
    assert site.witness("w1")[0] == 0 and seen == [5]


def test_a_spoilt_state_cosigns_nothing(site):
    site.put(day(5).sealed())
    (site.folder / "w1" / "state.json").write_text("{")
    assert site.witness("w1")[0] == 2
    assert main(["witness", str(site.run), "--keys", str(site.keys), "--state", str(site.folder / "none")]) == 2


def test_a_cosignature_that_was_changed_is_no_word_of_the_witness(site):
    site.put(day(5).sealed())
    site.witness("w1")
    path = site.folder / "w1.txt"
    head, line = path.read_text()[:-1].rsplit(" ", 1)
    for position in (5, 11, 40):
        blob = bytearray(base64.b64decode(line))
        blob[position] ^= 1
        path.write_text(f"{head} {base64.b64encode(blob).decode()}\n")
        assert site.verify("w1") == (1, {"WITNESS_SIGNATURE"})


def test_a_kept_checkpoint_without_a_known_witness_is_an_anchor_and_a_note(site):
    records = day(5).sealed()
    site.put(records)
    (site.folder / "kept.txt").write_bytes(checkpoint(site.device, records))
    assert site.verify("kept") == (0, {"WITNESS_UNKNOWN"})


def test_vkey_and_cosignature_are_those_of_the_specification(site):
    """Made anew here from the text of the specification alone."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    body = b"north/cab-1\n8\nv1ip+z9pG33GAPYRNcCN3GTK/cbQelUK5Ty/B1dLa24=\n"
    line = cosignature.cosign("witness.example.com/w1", private, body, 1679315147)
    key_id = hashlib.sha256(b"witness.example.com/w1\n\x04" + public).digest()[:4]
    blob = base64.b64decode(line.split(" ")[2])
    assert line.startswith("\u2014 witness.example.com/w1 ") and blob[:4] == key_id
    assert blob[4:12] == (1679315147).to_bytes(8, "big")
    private.public_key().verify(blob[12:], b"cosignature/v1\ntime 1679315147\n" + body)
    vkey = f"witness.example.com/w1+{key_id.hex()}+{base64.b64encode(bytes([4]) + public).decode()}"
    witness = cosignature.read_vkey(vkey)
    assert witness.vkey() == vkey and witness.time_of(body, blob) == 1679315147
    assert witness.time_of(body + b"x", blob) is None


# --- what the board says of its witness

def _told(tmp_path, size, named=None, time_s=1_715_904_000, last=None):
    """Judge eight records, from number 5 on with a witnessed tree; the last one with another, if asked for."""
    board = day(8)
    first = board.sealed()[:5]
    for record in board.records[5:]:
        record[41] = [size, named or root(first[:size]), time_s]
    if last is not None:
        board.records[7][41] = [last, root(first[:last]), time_s]
    case = Case(tmp_path, board)
    records = board.sealed(first)
    return case.judge(records, anchor=checkpoint(case.device, records))


def test_a_record_that_names_the_right_witnessed_tree(tmp_path):
    for size in range(6):
        assert verdicts(_told(tmp_path, size)) == HOLDS


@pytest.mark.parametrize("size, time_s, codes", (
    (3, 1_715_904_000, ["WITNESS_DIFFERS"]), (6, 1_715_904_000, ["WITNESS_AHEAD"]),
    (500, 1_715_904_000, ["WITNESS_AHEAD"]), (3, 1_715_999_000, ["WITNESS_DIFFERS", "CLOCK_WITNESS"]),
))
def test_a_record_that_names_another_tree(tmp_path, size, time_s, codes):
    result = _told(tmp_path, size, b"\7" * 32, time_s)
    assert found(result)[: len(codes)] == [(code, 5) for code in codes] and result.exit_code == 1


def test_a_witnessed_tree_that_shrinks(tmp_path):
    assert found(_told(tmp_path, 4, last=2)) == [("WITNESS_BACK", 7)]


# --- proofs of one record

def _prove(site, seq, *more):
    path = site.folder / f"{seq}.tlog-proof"
    code = main(["prove", str(site.run), "--keys", str(site.keys), "--seq", str(seq), "-o", str(path), *more])
    site.capsys.readouterr()
    return code, path


def _check(site, path):
    code = main(["verify", str(path), "--keys", str(site.keys), "--json"])
    return code, json.loads(site.capsys.readouterr().out)


def test_every_record_can_be_proved_alone(site):
    site.put(day(11).sealed())
    site.witness("w1")
    for seq in range(11):
        code, path = _prove(site, seq, "--checkpoint", str(site.folder / "w1.txt"))
        assert code == 0
        code, report = _check(site, path)
        assert (code, report["integrity"], report["seq"], report["anchor_records"]) == (0, "PASS", seq, 11)
        assert [row["name"] for row in report["witnesses"]] == ["witness.example/w1"] and report["findings"] == []
    assert main(["verify", str(path), "--keys", str(site.keys)]) == 0
    assert "record 10 of north/cab-1" in site.capsys.readouterr().out


def test_a_proof_of_anything_else_does_not_hold(site):
    records = day(11).sealed()
    site.put(records)
    _, path = _prove(site, 4)
    proof = tlog_proof.read(path.read_bytes())
    other = day(11, seed=2).sealed()

    def written(record=proof.record, index=4, hashes=proof.hashes, note=proof.note):
        return tlog_proof.Proof(record, index, hashes, note).write()

    for data, code in (
        (written(record=records[5]), "PROOF_ROOT"), (written(record=other[4]), "PROOF_ROOT"),
        (written(index=5), "PROOF_ROOT"), (written(hashes=proof.hashes[:-1]), "PROOF_ROOT"),
        (written(hashes=[*proof.hashes, bytes(32)]), "PROOF_ROOT"), (written(record=b"x"), "PROOF_ROOT"),
        (written(note=checkpoint(site.device, other)), "PROOF_ROOT"), (written(note=b"x"), "CHECKPOINT_BROKEN"),
        (written(record=proof.record + records[5]), "PROOF_BROKEN"), (written(hashes=[b"short"]), "PROOF_BROKEN"),
        (path.read_bytes()[:-300], "PROOF_BROKEN"), (tlog_proof.MAGIC, "PROOF_BROKEN"),
        (path.read_bytes().replace(b"index 4", b"index 04"), "PROOF_BROKEN"),
    ):
        path.write_bytes(data)
        code_, report = _check(site, path)
        assert code_ == 1 and code in {item["code"] for item in report["findings"]}, code
        assert report["integrity"] == "FAIL"
    assert _prove(site, 11)[0] == 2 and _prove(site, -1)[0] == 2


def test_a_proof_needs_whole_records(site):
    records = day(5).sealed()
    site.put([*records[:2], b"junk", *records[2:]], anchor=checkpoint(site.device, records))
    assert _prove(site, 1)[0] == 2
    site.put(records[:4], anchor=checkpoint(site.device, records))
    assert _prove(site, 1)[0] == 2


def test_keys_file_with_spoilt_witnesses_is_refused(site):
    document = json.loads(site.keys.read_text())
    for rows in ("x", ["x"], [document["witnesses"][0] + "A"], ["name+00000000+BAAA"], [7]):
        site.keys.write_text(json.dumps(document | {"witnesses": rows}))
        with pytest.raises(Exception, match="witness"):
            keys.load(site.keys)
