"""pycose, which shares nothing with us, verifies every record; and our strict reader meets the published vectors.

pycose takes one record in twelve, all of them under EVENKEEL_SOAK=1; the program of SPEC.md takes all. The vectors are
an example of cose-wg/Examples and those of RFC 8949, appendices A and F.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Sign1Message

from host_tools.evidence import cbor
from host_tools.evidence.keys import Key
from host_tools.evidence.source import units_of_bytes
from tests import record_examples, spec_example
from tests.month import month
from tests.tamper import parts

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_SIGNATURE = ("EAE868ECC176883766C5DC5BA5B8DCA25DAB3C2E56A551CE5705B793914348E1"
              "72727F48461FABBBA2E343492DDECAC3983686250BC68E9F1A7A07D41225B59F")
_X = base64.urlsafe_b64decode("usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8=").hex()
_Y = base64.urlsafe_b64decode("IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4=").hex()


def pycose_key(row):
    return EC2Key(crv=P256, x=bytes.fromhex(row["x"]), y=bytes.fromhex(row["y"]))


def holds(record, row):
    message = CoseMessage.decode(record)
    assert isinstance(message, Sign1Message) and message.phdr and not message.uhdr
    message.key = pycose_key(row)
    return message.verify_signature()


def test_pycose_verifies_every_record_of_the_vectors():
    vectors = json.loads(record_examples.VECTORS.read_text())
    keys = {row["kid"]: row for row in vectors["keys"]}
    for row in vectors["records"]:
        record = bytes.fromhex(row["record"])
        kid = cbor2.loads(parts(record)[0])[4].hex()
        assert kid not in keys or holds(record, keys[kid])
    assert any(cbor2.loads(parts(bytes.fromhex(row["record"]))[0])[4].hex() in keys for row in vectors["records"])


def test_pycose_verifies_every_record_of_a_month():
    made = month()
    rows = {row["kid"]: row for device in (made.device, made.successor) for row in device.key_rows()}
    records = made.records()
    for record in records if _SOAK else records[::12]:
        assert holds(record, rows[cbor2.loads(parts(record)[0])[4].hex()])
    other = bytearray(records[7])
    other[-3] ^= 1
    assert not holds(bytes(other), next(iter(rows.values()))) and len(records) > 2880


def test_the_program_of_the_specification_verifies_every_record_of_a_month(tmp_path):
    made = month()
    program = spec_example.SPEC.read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "verify.py").write_text(program)
    (tmp_path / "keys.json").write_text(json.dumps(made.keys()))
    (tmp_path / "checkpoint.txt").write_bytes(made.checkpoint())
    records = made.records()
    for given, code in ((records, 0), (records[:900] + records[901:], 1), (records[:-1], 1)):
        (tmp_path / "records.cbor").write_bytes(b"".join(given))
        command = [sys.executable, "verify.py", "records.cbor", "keys.json", "checkpoint.txt"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stderr
        assert code or done.stdout.startswith("2885 records of north/cab-1 hold, 2885")


def test_the_published_example_of_cose():
    """cose-wg/Examples, ecdsa-examples/ecdsa-sig-01: P-256, ES256, "This is the content."."""
    record = bytes.fromhex("D28445A201260300A10442313154546869732069732074686520636F6E74656E742E5840" + _SIGNATURE)
    unit = next(units_of_bytes(record))
    assert unit.code == "UNPROTECTED_CONTENT"  # what a record may not have, and the example has
    assert unit.frame.signed.hex().upper() == (
        "846A5369676E61747572653145A2012603004054546869732069732074686520636F6E74656E742E")
    numbers = ec.EllipticCurvePublicNumbers(int(_X, 16), int(_Y, 16), ec.SECP256R1())
    key = Key({"site": "s", "device": "d", "use": "record", "not_before_s": None, "not_after_s": None,
               "revoked_s": None}, numbers.public_key())
    digest = hashlib.sha256(unit.frame.signed).digest()
    assert key.signed(digest, unit.frame.signature)
    for position in range(64):
        wrong = bytearray(unit.frame.signature)
        wrong[position] ^= 1
        assert not key.signed(digest, bytes(wrong))
    for signature in (bytes(64), b"\xff" * 64, unit.frame.signature[:32] + bytes(32)):
        assert not key.signed(digest, signature)


# RFC 8949, appendix A: what a record may hold decodes to its value, everything else is refused
GOOD = {"00": 0, "01": 1, "0a": 10, "17": 23, "1818": 24, "1819": 25, "1864": 100, "1903e8": 1000,
        "1a000f4240": 1000000, "1b000000e8d4a51000": 1000000000000, "1bffffffffffffffff": 18446744073709551615,
        "3bffffffffffffffff": -18446744073709551616, "20": -1, "29": -10, "3863": -100, "3903e7": -1000, "f6": None,
        "40": b"", "4401020304": b"\1\2\3\4", "60": "", "6161": "a", "6449455446": "IETF", "62225c": "\"\\",
        "62c3bc": "\u00fc", "63e6b0b4": "\u6c34", "64f0908591": "\U00010151", "80": [], "83010203": [1, 2, 3],
        "8301820203820405": [1, [2, 3], [4, 5]], "a0": {}, "a201020304": {1: 2, 3: 4},
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819": list(range(1, 26))}
REFUSED = ("c249010000000000000000", "f90000", "f93c00", "fa47c35000", "fb3ff199999999999a", "f97c00", "f97e00", "f4",
           "f5", "f7", "f0", "f8ff", "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "d74401020304",
           "5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff", "83018202039f0405ff",
           "bf61610161629f0203ffff", "826161bf61626163ff", "a26161016162820203",
           # appendix F: not well-formed
           "18", "19", "1a", "1b", "1901", "1a0102", "1b01020304050607", "38", "58", "78", "98", "9a01ff00", "b8", "d8",
           "f8", "f900", "41", "61", "5affffffff00", "5bffffffffffffffff010203", "81", "818181818181818181", "8200",
           "a1", "a20102", "a100", "a2000000", "1c", "1d", "1e", "3c", "5c", "7c", "9c", "bc", "dc", "fc", "ff", "1f",
           "3f", "df", "f800", "f81f", "1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
           "1b00000000ffffffff", "5800", "5817" + "00" * 23, "a201020102", "a203040102", "0000")


@pytest.mark.parametrize("text", GOOD)
def test_published_vectors_decode(text):
    assert cbor.decode(bytes.fromhex(text)) == GOOD[text]
    assert cbor2.loads(bytes.fromhex(text)) == GOOD[text]


@pytest.mark.parametrize("text", REFUSED)
def test_published_vectors_that_no_record_may_hold(text):
    with pytest.raises(cbor.CborError):
        cbor.decode(bytes.fromhex(text))
