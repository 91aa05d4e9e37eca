"""Read env files: raw UTF-8 `KEY=value` lines, as the emulator writes them.

A line is split at its first `=` and the rest is literal: no quotes, comments or expansion.
"""

from collections.abc import Iterable
from pathlib import Path


class EnvFileError(Exception):
    """An env file cannot be read. Names the file and the line, never a value."""


def read_env_files(paths: Iterable[Path]) -> dict[str, str]:
    """Return the settings of all files; a later file wins over an earlier one.

    Raises EnvFileError for a file that is missing, not UTF-8, or has a line that is not KEY=value.
    """
    settings: dict[str, str] = {}
    for path in paths:
        settings.update(_read(path))
    return settings


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileError(f"{path}: {type(error).__name__}") from error
    # Only "\n" ends a line: a value may hold any other character that str.splitlines cuts at.
    lines = enumerate(text.split("\n"), start=1)
    return dict(_setting(path, number, line) for number, line in lines if line)


def _setting(path: Path, number: int, line: str) -> tuple[str, str]:
    key, separator, value = line.partition("=")
    if not (key and separator) or "\0" in line:
        raise EnvFileError(f"{path}, line {number}: not KEY=value")
    return key, value
