"""The checkpoint on any runtime: DER at its edges, and the example of SPEC.md byte for byte."""

import json
from binascii import a2b_base64, hexlify, unhexlify

from firmware.log import checkpoint, keys
from firmware.log.signer import Signer


def drain(generator):
    """Return what a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def der(r, s):
    """Return the DER of two numbers, as hex."""
    return hexlify(checkpoint.der(r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def test_der():
    assert der(1, 127) == b"300602010102017f"
    assert der(128, 255) == b"30080202008002" + b"0200ff"
    assert der(1 << 255, 1) == b"3026022100" + b"80" + b"00" * 31 + b"020101"
    assert der((1 << 255) - 1, 1) == b"302502207f" + b"ff" * 31 + b"020101"
    assert der(0, 0) == b"3006020100020100"


def test_note_of_an_empty_tree():
    root = unhexlify("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    text = checkpoint.note("a/b", 0, root)
    assert text == b"a/b\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_example():
    with open("tests/vectors/record_few.json") as file:
        example = json.load(file)
    want = example["checkpoint"].encode()
    root = unhexlify(example["records"][-1]["root"])
    size = example["size"]
    del example["records"]
    signer = Signer(keys.checkpoint_scalar(unhexlify(example["secret"])))
    drain(signer.prepare())
    origin = checkpoint.origin(example["site"], example["device"])
    assert drain(checkpoint.signed(checkpoint.note(origin, size, root), origin, signer)) == want
    line = want.split(b"\n\n")[1].split(b" ")
    assert line[0] == b"\xe2\x80\x94" and a2b_base64(line[2])[:4] == signer.kid[:4]
