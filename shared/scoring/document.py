"""Read YAML as the JSON it stands for, and remember where each value lies.

YAML 1.2's core schema, as far as it is JSON: `no` and `12:30` are texts, `5e-5` is a number (PyYAML's
own YAML 1.1 reads them otherwise), a date is a text. Built from the parser's events instead of by
PyYAML's constructor: nothing recurses, aliases are counted by what they expand to, and a key that
is given twice is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from shared.scoring.problem import Keys, Problem, path_text

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 40
MAX_VALUES: Final = 200_000

Place = tuple[int, int]
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT: Final = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_TAGS: Final = {f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq")}


class DocumentError(Exception):
    """The text cannot be read at all, or says something twice."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Document:
    """A value, and where in the text each of its parts begins."""

    value: Any
    places: Mapping[Keys, Place]

    def place(self, keys: Keys) -> tuple[Keys, Place]:
        """Return the nearest part that is in the text, for what is missing or inside a value."""
        while keys not in self.places:
            keys = keys[:-1]
        return keys, self.places[keys]


@dataclass(kw_only=True)
class _Open:
    """A list or a mapping that is being read. `values` counts all that is in it."""

    keys: Keys
    found: Any
    values: int = 1
    anchor: str | None = None
    # Of a mapping: the key whose value comes next.
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Anchored:
    value: Any
    values: int
    depth: int


def read_document(text: str) -> Document:
    """Read one YAML (or JSON) document. Raises DocumentError."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise DocumentError([Problem(message=f"is larger than {MAX_BYTES} bytes")])
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_unreadable(error))
    except (yaml.YAMLError, UnicodeError):
        builder.problems.append(Problem(message="is not text that YAML allows"))
    except _EndError:
        pass
    if builder.problems:
        raise DocumentError(sorted(builder.problems))
    return Document(value=builder.value, places={(): (1, 1), **builder.places})


def _unreadable(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(line=line, column=column, message="is not YAML from here on")


class _EndError(Exception):
    """No sense in reading on."""


@dataclass(kw_only=True)
class _Builder:
    """Puts events together; keeps its own stack, so that no depth of a text is one of Python's."""

    value: Any = None
    places: dict[Keys, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, _Anchored] = field(default_factory=dict)
    _documents: int = 0
    _total: int = 0

    def take(self, event: Any) -> None:
        """Take the parser's next event."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "a second document: one is read")
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        above = self._stack[-1] if self._stack else None
        if above and isinstance(above.found, dict) and above.key is None:
            self._key(above, event)
            return
        self._check_tag(event)
        value = _plain(event.value) if event.implicit[0] else event.value
        keys = self._keys()
        self.places[keys] = _place(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value=value, values=1, depth=0)
        self._put(value, values=1, event=event)

    def _key(self, above: _Open, event: yaml.ScalarEvent) -> None:
        key = event.value
        if key in above.found:
            at = (*above.keys, key)
            self._problem(event, at, "is given twice in the same mapping")
        above.key = key

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_as_key(event)
        self._check_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"nests deeper than {MAX_DEPTH}")
        keys = self._keys()
        self.places[keys] = _place(event)
        found: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(keys=keys, found=found, anchor=event.anchor))

    def _end(self) -> None:
        ended = self._stack.pop()
        if ended.anchor:
            self._anchors[ended.anchor] = _Anchored(
                value=ended.found, values=ended.values, depth=_depth(ended.found)
            )
        self._put(ended.found, values=ended.values, event=None)

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._refuse_as_key(event)
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            self._stop(event, "an alias of what is not there yet, or of what it is part of")
            return
        if len(self._stack) + anchored.depth > MAX_DEPTH:
            self._stop(event, f"nests deeper than {MAX_DEPTH}")
        self.places[self._keys()] = _place(event)
        self._put(anchored.value, values=anchored.values, event=event)

    def _put(self, value: Any, *, values: int, event: Any) -> None:
        # Counted where a value is first met; what an alias repeats, each time.
        self._total += values if isinstance(event, yaml.AliasEvent) else 1
        if self._total > MAX_VALUES:
            self._stop(event, f"holds more than {MAX_VALUES} values")
        if not self._stack:
            self.value = value
            return
        above = self._stack[-1]
        above.values += values
        if isinstance(above.found, list):
            above.found.append(value)
            return
        above.found[above.key] = value
        above.key = None

    def _keys(self) -> Keys:
        """Return the path of the value that comes next."""
        if not self._stack:
            return ()
        above = self._stack[-1]
        if isinstance(above.found, list):
            return (*above.keys, len(above.found))
        return (*above.keys, above.key or "")

    def _refuse_as_key(self, event: Any) -> None:
        above = self._stack[-1] if self._stack else None
        if above and isinstance(above.found, dict) and above.key is None:
            self._stop(event, "a key must be a text")

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _TAGS:
            self._problem(event, self._keys(), "has a YAML tag: only plain values are read")

    def _problem(self, event: Any, keys: Keys, message: str) -> None:
        line, column = _place(event)
        self.problems.append(
            Problem(path=path_text(keys), line=line, column=column, message=message)
        )

    def _stop(self, event: Any, message: str) -> None:
        line, column = _place(event) if event is not None else (0, 0)
        self.problems.append(Problem(line=line, column=column, message=message))
        raise _EndError


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _plain(text: str) -> Any:
    """Return what an unquoted text stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        # 1e999 is no number of JSON's; nobody expects infinity by that name.
        return number if abs(number) != float("inf") else text
    return text


def _depth(value: Any) -> int:
    """How deep a value nests; bounded, since nothing deeper than MAX_DEPTH is ever built."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        return 0
    return 1 + max((_depth(each) for each in inner), default=0)
