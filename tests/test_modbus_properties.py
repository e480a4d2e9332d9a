"""drivers.line.modbus against pymodbus' own framer, and against the definition of a right answer."""

from array import array

import pymodbus.pdu.register_message as messages
from hypothesis import example, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse

from firmware.drivers.line import modbus

_FRAMER = FramerRTU(DecodePDU(False))
_READS = {3: (messages.ReadHoldingRegistersRequest, messages.ReadHoldingRegistersResponse),
          4: (messages.ReadInputRegistersRequest, messages.ReadInputRegistersResponse)}
UNITS = st.integers(1, 247)
ADDRESSES = st.integers(0, 0xFFFF)
WORDS = st.integers(0, 0xFFFF)


def _frame(pdu, unit):
    pdu.dev_id = unit
    return bytearray(_FRAMER.buildFrame(pdu))


def _right(request, answer):
    """Say by the standard's words whether `answer` is a whole right answer, or exception, to `request`."""
    if len(answer) < 5 or answer[0] != request[0]:
        return False
    if FramerRTU.compute_CRC(answer[:-2]).to_bytes(2, "big") != answer[-2:]:
        return False
    if answer[1] == request[1] | 0x80:
        return len(answer) == 5
    if answer[1] != request[1]:
        return False
    if request[1] > 4:
        return len(answer) == 8 and answer[2:6] == request[2:6]
    count = int.from_bytes(request[4:6], "big")
    return len(answer) == 5 + 2 * count and answer[2] == 2 * count


@given(UNITS, st.sampled_from((3, 4)), ADDRESSES, st.integers(1, 125))
def test_reads_are_built_as_pymodbus_builds_them(unit, function, address, count):
    buf = bytearray(8)
    assert modbus.read_request(buf, unit, function, address, count) == 8
    assert buf == _frame(_READS[function][0](address=address, count=count), unit)


@given(UNITS, ADDRESSES, st.lists(WORDS, min_size=1, max_size=123), st.integers(0, 5))
def test_writes_are_built_as_pymodbus_builds_them(unit, address, values, first):
    buf = bytearray(300)
    registers = array("H", [0xABCD] * first + values)
    n = modbus.write_many_request(buf, unit, address, memoryview(registers)[first:], len(values))
    assert buf[:n] == _frame(messages.WriteMultipleRegistersRequest(address=address, registers=values), unit)
    n = modbus.write_one_request(buf, unit, address, array("H", values[:1]))
    assert buf[:n] == _frame(messages.WriteSingleRegisterRequest(address=address, registers=values[:1]), unit)


@given(UNITS, st.sampled_from((3, 4)), ADDRESSES, st.lists(WORDS, min_size=1, max_size=125),
       st.integers(1, 11))
def test_what_pymodbus_answers_is_right(unit, function, address, values, code):
    request = _frame(_READS[function][0](address=address, count=len(values)), unit)
    answer = _frame(_READS[function][1](registers=values), unit)
    assert modbus.check(request, answer, 0, len(answer)) == modbus.OK
    assert len(answer) == modbus.answer_length(function, len(values))
    refusal = _frame(ExceptionResponse(function, code), unit)
    assert modbus.check(request, refusal, 0, len(refusal)) == modbus.EXCEPTION


@st.composite
def _pairs(draw):
    """A request, and bytes that look more or less like an answer to it."""
    unit = draw(UNITS)
    function = draw(st.sampled_from((3, 4, 6, 16)))
    address = draw(ADDRESSES)
    count = 1 if function == 6 else draw(st.integers(1, 20))
    buf = bytearray(80)
    if function <= 4:
        n = modbus.read_request(buf, unit, function, address, count)
    elif function == 6:
        n = modbus.write_one_request(buf, unit, address, array("H", [draw(WORDS)]))
    else:
        n = modbus.write_many_request(buf, unit, address, array("H", [draw(WORDS)] * count), count)
    request = buf[:n]
    body = bytearray(request[:6])
    if function <= 4:
        data = draw(st.binary(min_size=2 * count, max_size=2 * count))
        body = bytearray((unit, function, 2 * count)) + data
    if draw(st.booleans()):
        body = bytearray((unit, function | 0x80, draw(st.integers(0, 255))))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(body) - 1))
        body[at] = draw(st.integers(0, 255))
    answer = body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(answer) - 1))
        answer[at] ^= draw(st.integers(0, 255))
    return request, answer[:draw(st.integers(0, len(answer)))] if draw(st.booleans()) else answer


@given(_pairs())
@example((bytearray(b"\x01\x03\x00\x00\x00\x01\x84\x0a"), bytearray(b"")))
def test_ok_means_right_and_right_means_ok(pair):
    request, answer = pair
    status = modbus.check(request, answer, 0, len(answer))
    assert (status in (modbus.OK, modbus.EXCEPTION)) == _right(request, answer)


@given(_pairs(), st.binary(max_size=300))
def test_no_bytes_whatever_raise_or_pass(pair, noise):
    request, _ = pair
    status = modbus.check(request, bytearray(noise), 0, len(noise))
    if status in (modbus.OK, modbus.EXCEPTION):
        assert any(_right(request, noise[:n]) for n in range(5, len(noise) + 1))
