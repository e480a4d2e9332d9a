"""The head in the form in which it is written: in pieces, each with its own place on the heap."""

from hashlib import sha256

from firmware.core import cbor
from firmware.log import head
from tests.device.memory_files import MemoryFiles
from tests.device.test_chain import HEAD, gap, opened, run


def test_head_in_pieces_is_one_map_and_its_hash():
    files = MemoryFiles()
    chain = opened(files)
    for _ in range(5):
        run(chain.write(gap()))
        data = files.read(HEAD)
        fields, end = cbor.decode(data)
        assert cbor.encode(fields) == data[:end] and data[end:] == cbor.encode(sha256(data[:end]).digest())
    state = head.Head()
    assert head.load(b"".join(state.dump())).dump() == state.dump()
