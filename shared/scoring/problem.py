"""Where a file of services is wrong, and how: in words that an editor can jump to."""

from __future__ import annotations

import re
from dataclasses import dataclass

Key = str | int
Keys = tuple[Key, ...]
_PLAIN = re.compile(r"[A-Za-z_][\w-]{0,39}")


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One mistake. `line` and `column` count from 1, and are 0 where no place is known.

    `path` is like `services[2].checks.golden[0].expect[0].at`. Neither repeats a value of the file.
    """

    line: int = 0
    column: int = 0
    path: str = ""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}" if self.line else ""
        where = f"{self.path} ({place})" if self.path and place else self.path or place
        return f"{where}: {self.message}" if where else self.message


def path_text(keys: Keys) -> str:
    """Write a path; a key that is no plain word may be a value gone astray, and is not repeated."""
    parts = [f"[{key}]" if isinstance(key, int) else f".{_word(key)}" for key in keys]
    return "".join(parts).removeprefix(".")


def _word(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else "(some key)"
