"""The emulated board itself: REPL, frozen firmware, clock, sleep, UARTs."""

import ast
import contextlib
import os
from textwrap import dedent

import pytest

from host_tools.toolchain import build_info, paths
from host_tools.toolchain.emulator import BOARD, LISTEN, Emulator

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_REPLY_S = 20
_EVERY_BYTE = bytes(range(256))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    wires = {1: LISTEN, 2: LISTEN, 3: LISTEN}
    with Emulator(tmp_path_factory.mktemp("board") / "flash.bin", wires) as emulator:
        for connection in emulator.sockets.values():
            connection.settimeout(_REPLY_S)
        yield emulator


def _ask(board, code):
    """Run code on the board; return what it printed last, as a Python value."""
    return _value(board.exec(dedent(code)))


def _value(text):
    return ast.literal_eval(text.strip().splitlines()[-1])


@contextlib.contextmanager
def _running(board, code):
    """Start code on the board, wait until it says ready, and end mpremote whatever happens."""
    process = board.spawn(dedent(code))
    try:
        assert process.stdout.readline().strip() == b"ready"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _receive(connection, count):
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data))
    return data


def test_frozen_firmware_is_this_checkout(board):
    said = _ask(board, """
        import build_info, board, firmware.core.ticks
        print([build_info.HASH, build_info.VERSION, board.NAME])
    """)
    assert said == [build_info.firmware_hash(paths.ROOT), build_info.version(), BOARD]


def test_board_facts_hold(board):
    maxsize, heap, flash, journal_bytes, heap_bytes = _ask(board, """
        import sys, gc, board, os
        gc.collect()
        s = os.statvfs("/")
        heap = gc.mem_free() + gc.mem_alloc()
        print([sys.maxsize, heap, s[0] * s[2], board.JOURNAL_BYTES, board.HEAP_BYTES])
    """)
    assert maxsize == 2**31 - 1
    assert flash == journal_bytes
    assert heap_bytes * 0.95 < heap <= heap_bytes


def test_small_ints_are_31_bit(board):
    assert _ask(board, """
        import micropython
        def f(x):
            micropython.heap_lock()
            try:
                return x + 1
            except MemoryError:
                return None
            finally:
                micropython.heap_unlock()
        print([f(0x3ffffffe), f(0x3fffffff)])
    """) == [0x3FFFFFFF, None]


def test_what_the_firmware_needs_is_there(board):
    digest, native, viper, memory = _ask(board, """
        import hashlib, json, gc, array, struct, machine, micropython, uctypes, binascii, select
        @micropython.native
        def n(a): return a + 1
        @micropython.viper
        def v(a: int) -> int: return a + 1
        print([hashlib.sha256(b"abc").digest(), n(1), v(1), machine.mem32[0x40028014] >= 0])
    """)
    assert digest.hex().startswith("ba7816bf8f01cfea")
    assert (native, viper, memory) == (2, 2, True)


@pytest.mark.parametrize("uart", (1, 2, 3))
def test_uart_carries_every_byte_both_ways(board, uart):
    sent = _EVERY_BYTE * 16  # four times the receive ring: the sender is held back, nothing is lost
    code = f"""
        import mps2
        mps2.uart_init({uart}, 115200)
        buf = bytearray(4096)
        n = 0
        print("ready")
        while n < 4096:
            n += mps2.uart_readinto({uart}, buf, n, 4096 - n)
            mps2.idle_us(2000)
        mps2.uart_write({uart}, buf, 4096)
        print(mps2.uart_any({uart}))
    """
    with _running(board, code) as process:
        board.sockets[uart].sendall(sent)
        assert _receive(board.sockets[uart], len(sent)) == sent
        assert process.stdout.readline().strip() == b"0"


def test_calls_refuse_what_is_out_of_range(board):
    assert _ask(board, """
        import mps2
        mps2.uart_init(1, 9600)
        b = bytearray(4)
        r = []
        for f in (lambda: mps2.uart_readinto(1, b, 1, 4), lambda: mps2.uart_readinto(1, b, -1, 1),
                  lambda: mps2.uart_write(1, b, 5), lambda: mps2.uart_write(1, b, -1),
                  lambda: mps2.uart_any(4), lambda: mps2.uart_init(0, 9600), lambda: mps2.uart_init(5, 9600),
                  lambda: mps2.uart_init(1, 0), lambda: mps2.flash_erase(16 << 20, 1)):
            try:
                f()
                r.append("passed")
            except ValueError:
                r.append("refused")
        print(r)
    """) == ["refused"] * 9


def test_platform_of_the_hal(board):
    code = """
        import gc
        from firmware.hal.mps2 import Platform
        p = Platform("")
        s = p.serial(1, 115200, "N", 1)
        b = bytearray(8)
        n = 0
        print("ready")
        while n < 4:
            p.idle(5000)
            n += s.readinto(b, n, 8 - n)
        s.write(b"pong!", 4)
        while not s.tx_done():
            pass
        print([bytes(b[:n]), s.any(), p.entropy(4), gc.isenabled(), p.ms() >= 0, p.us() >= 0])
    """
    with _running(board, code) as process:
        board.sockets[2].sendall(b"ping")
        assert _value(process.stdout.readline().decode()) == [b"ping", 0, None, False, True, True]
    assert _receive(board.sockets[2], 4) == b"pong"


def test_driver_enable_is_on_while_bytes_leave(board):
    code = """
        import machine
        from firmware.hal.mps2 import Platform
        p = Platform("")
        s = p.serial(1, 115200, "N", 1)
        seen = [machine.mem32[0x40028000] & 3]
        s.write(b"pong", 4)
        seen.append(machine.mem32[0x40028000] & 3)
        while not s.tx_done():
            pass
        seen.append(machine.mem32[0x40028000] & 3)
        print(seen)
    """
    assert _ask(board, code) == [0, 2, 0]
    assert _receive(board.sockets[2], 4) == b"pong"


def test_signatures_are_computed_by_the_cores_multiplier(board):
    code = """
        from firmware.core import words
        from firmware.hal import mps2, thumb
        from firmware.log import p256, p256_words
        print([words.fast is thumb.run, p256.chosen() is p256_words.Sum])
    """
    assert _ask(board, code) == [True, True]


def test_platform_refuses_what_the_board_has_not(board):
    assert _ask(board, """
        from firmware.hal.mps2 import Platform
        from firmware.core.errors import ConfigError
        p = Platform("")
        r = []
        for a in ((2, 9600, "N", 1), (-1, 9600, "N", 1), (0, 2000000, "N", 1)):
            try:
                p.serial(*a)
            except ConfigError as e:
                r.append(e.code)
        print(r)
    """) == ["UART", "UART", "BAUD"]


def test_calls_of_the_control_path_do_not_allocate(board):
    assert _ask(board, """
        import gc, micropython
        from firmware.hal.mps2 import Platform
        p = Platform("")
        s = p.serial(0, 115200, "N", 1)
        m = memoryview(bytearray(64))
        def f():
            for i in range(20):
                p.ms(); p.us(); p.idle(200)
                s.any(); s.readinto(m, 3, 8); s.write(m, 8); s.tx_done()
        f()
        micropython.heap_lock()
        f()
        micropython.heap_unlock()
        a = gc.mem_alloc()
        f()
        print(gc.mem_alloc() - a)
    """) == 0


def test_ctrl_c_stops_a_running_program(board):
    with _running(board, "print('ready')\nwhile True: pass"):
        pass
    assert _ask(board, "print(6 * 7)") == 42  # mpremote sends ctrl-C first


def test_idle_ends_when_bytes_arrive(board):
    code = """
        import mps2
        mps2.uart_init(1, 9600)
        mps2.idle_us(1)
        print("ready")
        mps2.idle_us(400_000_000)
        print(mps2.uart_any(1))
    """
    with _running(board, code) as process:
        board.sockets[1].sendall(b"x")
        assert process.stdout.readline().strip() == b"1"


def test_mpremote_copies_files(board, tmp_path):
    (tmp_path / "site.json").write_text('{"a": 1}')
    board.mpremote("cp", tmp_path / "site.json", ":/site.json")
    assert board.mpremote("cat", ":/site.json").strip() == '{"a": 1}'


def test_a_mounted_folder_of_the_host_can_be_read(board, tmp_path):
    (tmp_path / "data.txt").write_bytes(_EVERY_BYTE)
    (tmp_path / "look.py").write_text("print(open('data.txt', 'rb').read() == bytes(range(256)))\n")
    assert _value(board.run_file(tmp_path / "look.py", mount=tmp_path)) is True


def test_files_copied_stand_where_they_stood(board, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("here")
    for _ in range(2):
        board.copy([tmp_path / "a" / "b" / "c.txt"], tmp_path)
    assert board.exec("print(open('/a/b/c.txt').read())").strip() == "here"
