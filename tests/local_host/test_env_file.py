"""Env files are raw: what stands behind the first = is the value."""

from pathlib import Path

import pytest

from local_host.env_file import EnvFileError, read_env_files


def test_values_are_literal_and_the_later_file_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"A=1\nQUOTED='x' # no comment\nURL=https://h/?a=b&c=$D\nEMPTY=\n\n")
    second.write_bytes("A=ä\u2028b \n".encode())

    settings = read_env_files([first, second])

    assert settings == {
        "A": "ä\u2028b ",
        "QUOTED": "'x' # no comment",
        "URL": "https://h/?a=b&c=$D",
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"A=1\nsecret\n", "line 2: not KEY=value"),
        (b"=secret", "line 1: not KEY=value"),
        (b"A=se\0cret", "line 1: not KEY=value"),
        (b"A=\xff", "UnicodeDecodeError"),
    ],
    ids=["a line without =", "no key", "a NUL", "not UTF-8"],
)
def test_a_bad_file_is_named_without_its_content(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "bad.env"
    path.write_bytes(content)

    with pytest.raises(EnvFileError, match=complaint) as error:
        read_env_files([path])

    assert str(path) in str(error.value)
    assert "secret" not in str(error.value)
