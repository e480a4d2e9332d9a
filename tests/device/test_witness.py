"""What a witness has told: taken from a cosigned note, and nothing from what is none."""

from binascii import b2a_base64

from firmware.log import witness
from tests.device.memory_files import MemoryFiles

ORIGIN = "north/cab-1"
ROOT = bytes(range(32))
TIME_S = 1_767_268_800


def base64(data):
    """Return base64 as text, without a newline."""
    return b2a_base64(data).decode().strip()


def cosigned(time_s, name="witness.example", size=64):
    """Return a signature line of a witness."""
    return "\u2014 %s %s\n" % (name, base64(b"keyi" + time_s.to_bytes(8, "big") + bytes(size)))


OWN = "\u2014 %s %s\n" % (ORIGIN, base64(b"keyi" + bytes([255] * 72)))
BODY = "%s\n96\n%s\n" % (ORIGIN, base64(ROOT))


def told(note):
    """Return what the board takes from a note."""
    files = MemoryFiles()
    files.content["witness.txt"] = note if isinstance(note, bytes) else note.encode()
    return witness.told(files, ORIGIN)


def test_the_last_cosignature_counts_and_the_boards_own_does_not():
    assert told(BODY + "\n" + OWN + cosigned(TIME_S)) == [96, ROOT, TIME_S]
    older = cosigned(TIME_S - 60, "other.example", 2420)
    assert told(BODY + "\n" + cosigned(TIME_S) + OWN + older) == [96, ROOT, TIME_S]


def test_no_file_is_no_witness():
    assert witness.told(MemoryFiles(), ORIGIN) is None


def test_what_is_no_cosigned_note_of_this_board_is_nothing():
    good = BODY + "\n" + cosigned(TIME_S)
    for note in (b"", b"\xff" * 20, BODY, BODY + "\n", BODY + "\n" + OWN, BODY + "\n" + cosigned(TIME_S, size=63),
                 good.replace(ORIGIN, "north/cab-2"), good.replace("\n96\n", "\n-1\n"), good.replace("\n96\n", "\nx\n"),
                 good.replace(base64(ROOT), base64(ROOT[1:])), good.replace(base64(ROOT), "!"), good + "\n\n",
                 BODY + "\n" + cosigned(0), good.replace("\u2014 w", "- w"), "x" * 5000):
        assert told(note) is None, note


def test_every_cut_of_a_note_is_nothing_or_the_same():
    good = (BODY + "\n" + cosigned(TIME_S)).encode()
    for end in range(len(good)):
        assert told(good[:end]) in (None, [96, ROOT, TIME_S])
