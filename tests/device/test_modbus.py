"""drivers.line.modbus: frames from the vector file, and every wrong answer told from the right one."""

import json
from array import array

from firmware.drivers.line import modbus

with open("tests/vectors/modbus.json") as _file:
    _VECTORS = json.load(_file)


def _bytes(text):
    return bytearray(int(text[i:i + 2], 16) for i in range(0, len(text), 2))


def _plain_crc(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def test_crc_is_that_of_the_definition():
    data = bytearray(range(256))
    for n in (0, 1, 2, 7, 255):
        assert modbus.crc16(data, 1, n) == _plain_crc(data[1:1 + n])
    assert modbus.crc16(bytearray(b"123456789"), 0, 9) == 0x4B37


def test_requests_are_those_of_the_vectors():
    for row in _VECTORS["requests"]:
        buf = bytearray(300)
        if row["function"] == 6:
            n = modbus.write_one_request(buf, row["unit"], row["address"], array("H", row["values"][:1]))
        elif row["function"] == 16:
            registers = memoryview(array("H", [0xDEAD] + row["values"]))[1:]
            n = modbus.write_many_request(buf, row["unit"], row["address"], registers, len(row["values"]))
        else:
            n = modbus.read_request(buf, row["unit"], row["function"], row["address"], row["count"])
        assert buf[:n] == _bytes(row["frame"])
        assert modbus.crc16(buf, 0, n) == 0


def test_answers_are_judged_as_the_vectors_say():
    for row in _VECTORS["answers"]:
        answer = _bytes(row["answer"])
        got = modbus.check(_bytes(row["request"]), answer, 0, len(answer))
        assert modbus.STATUS_NAMES[got] == row["status"], row


def test_an_answer_grows_from_more_to_ok_and_never_back():
    for row in _VECTORS["answers"]:
        if row["status"] in ("ok", "exception"):
            request = _bytes(row["request"])
            answer = _bytes(row["answer"])
            for have in range(len(answer)):
                assert modbus.check(request, answer, 0, have) == modbus.MORE
            # What follows is not looked at, and an offset changes nothing.
            shifted = bytearray(3) + answer + bytearray(4)
            assert modbus.STATUS_NAMES[modbus.check(request, shifted, 3, len(answer) + 4)] == row["status"]


def test_every_flipped_bit_is_noticed():
    for row in _VECTORS["answers"]:
        if row["status"] in ("ok", "exception"):
            request = _bytes(row["request"])
            answer = _bytes(row["answer"])
            for bit in range(8 * len(answer)):
                answer[bit >> 3] ^= 1 << (bit & 7)
                assert modbus.check(request, answer, 0, len(answer)) not in (modbus.OK, modbus.EXCEPTION)
                answer[bit >> 3] ^= 1 << (bit & 7)


def test_answer_length():
    assert modbus.answer_length(modbus.READ_HOLDING, 1) == 7
    assert modbus.answer_length(modbus.READ_INPUT, 125) == 255
    assert modbus.answer_length(modbus.WRITE_ONE, 1) == 8
    assert modbus.answer_length(modbus.WRITE_MANY, 100) == 8
