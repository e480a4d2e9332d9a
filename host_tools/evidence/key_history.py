"""Learn the keys that the records themselves introduce: a key change (kind 3), signed with a key known before it."""

from host_tools.evidence.cose import Frame
from host_tools.evidence.envelope import Judge
from host_tools.evidence.keys import row_of

_KEY_CHANGE_STARTS = b"\x01\x01\x02\x03"  # version 1, kind 3, behind the head of the map


def learn(source, registry, device):
    """Let a registry learn the keys of all validly signed key changes of a device, in the order of the file."""
    judge = Judge(registry, device)
    for item in source.units():
        if type(item) is Frame and item.payload[1:5] == _KEY_CHANGE_STARTS:
            judge.judge(item)


def introduced(source, registry):
    """Give the rows of the keys that a journal introduces for the devices that a registry knows."""
    known = registry.copy()
    for device in registry.devices():
        learn(source, known, device)
    return [row_of(key) for kid, key in known.keys.items() if kid not in registry.keys]
