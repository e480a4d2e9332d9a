"""The small files that a command is given by name: a password keeps its blanks, and what is no text is named."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.errors import ToolError, read_password, read_text

_WORDS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_WORDS, st.sampled_from(["", "\n", "\r\n"]))
def test_password_is_all_but_its_line_end(tmp_path, password, end):
    (tmp_path / "password").write_bytes((password + end).encode())
    assert read_password(tmp_path / "password") == password


def test_no_password_file_is_no_password():
    assert read_password(None) is None


def test_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "factors.csv").write_bytes(b"time,mg\xff")
    with pytest.raises(ToolError) as raised:
        read_text(tmp_path / "factors.csv", "factors")
    assert "factors.csv: byte 7 is not UTF-8" in raised.value.message and raised.value.advice
