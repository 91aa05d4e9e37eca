"""Compare an answer with what is expected of it, as R means it. Pure.

R has no scalars, writes a missing value in several ways, drops it from the records of a data frame,
and rounds what it writes. Source: jsonlite's `toJSON` (auto_unbox, na, digits, dataframe), which
plumber, vetiver and the usual rpy2 scripts serialise with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

from shared.scoring.answer import unwrap
from shared.scoring.json_path import compile_path, find_nodes
from shared.scoring.service import Expectation

MAX_MISMATCHES = 10
_MAX_SHOWN = 80
# Names of members are the service's own, and may be as long as its answer.
_MAX_SENTENCE = 400
_INFINITIES = {"Inf": math.inf, "-Inf": -math.inf, "Infinity": math.inf, "-Infinity": -math.inf}


def mismatches(expectation: Expectation, document: JsonValue) -> tuple[str, ...]:
    """Return what differs, one sentence each, at most ten; nothing if all is as expected.

    `document` is unwrapped JSON, or the text of an answer that is not JSON.
    """
    path = compile_path(expectation.at)
    expected, nodes = unwrap(expectation.equals), find_nodes(path, document)
    if not nodes and (expected != [] or path.singular_query()):
        return (f"{expectation.at}: expected {_shown(expected)}, found nothing there",)
    got = nodes[0] if len(nodes) == 1 else nodes
    comparison = _Comparison(absolute=expectation.absolute, relative=expectation.relative)
    found = islice(comparison.differences(expectation.at, expected, got), MAX_MISMATCHES)
    return tuple(each[:_MAX_SENTENCE] for each in found)


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    absolute: float
    relative: float

    def differences(self, at: str, expected: JsonValue, got: JsonValue) -> Iterator[str]:
        wanted, given = _unboxed(expected), _unboxed(got)
        if isinstance(wanted, dict) and isinstance(given, dict):
            yield from self._members(at, wanted, given)
        elif isinstance(wanted, list) and isinstance(given, list):
            yield from self._elements(at, wanted, given)
        elif not self._is_same(wanted, given):
            boxed = isinstance(wanted, list) or isinstance(given, list)
            shown = (expected, got) if boxed else (wanted, given)
            yield f"{at}: expected {_shown(shown[0])}, got {_shown(shown[1])}"

    def _members(
        self, at: str, expected: dict[str, JsonValue], got: dict[str, JsonValue]
    ) -> Iterator[str]:
        # jsonlite leaves a missing value out of its record, so a member that is not there is NA.
        for name in [*expected, *(name for name in got if name not in expected)]:
            yield from self.differences(
                f"{at}[{json.dumps(name)}]", expected.get(name), got.get(name)
            )

    def _elements(self, at: str, expected: list[JsonValue], got: list[JsonValue]) -> Iterator[str]:
        if len(expected) != len(got):
            yield f"{at}: expected {len(expected)} elements, got {len(got)}"
        for place, (wanted, given) in enumerate(zip(expected, got, strict=False)):
            yield from self.differences(f"{at}[{place}]", wanted, given)

    def _is_same(self, expected: JsonValue, got: JsonValue) -> bool:
        if _is_na(expected):
            return _is_na(got) or _is_nan(got)
        if _is_nan(expected) or _is_nan(got):
            return _is_nan(expected) and _is_nan(got)
        wanted, given = _number(expected), _number(got)
        if wanted is not None and given is not None:
            return self._is_near(wanted, given)
        return type(expected) is type(got) and expected == got

    def _is_near(self, expected: float, got: float) -> bool:
        if expected == got:
            return True
        try:
            return abs(got - expected) <= self.absolute + self.relative * abs(expected) < math.inf
        except OverflowError:  # an integer beyond any double
            return False


def _unboxed(value: JsonValue) -> JsonValue:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _is_na(value: JsonValue) -> bool:
    return value is None or value == "NA"


def _is_nan(value: JsonValue) -> bool:
    return value == "NaN" or (isinstance(value, float) and math.isnan(value))


def _number(value: JsonValue) -> float | None:
    if isinstance(value, str):
        return _INFINITIES.get(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shown(value: JsonValue) -> str:
    """Return the beginning of a value: writing out all of a large one would cost more than finding it."""
    cut = value[:_MAX_SHOWN] if isinstance(value, str) else value
    text = "".join(islice(json.JSONEncoder().iterencode(cut), _MAX_SHOWN))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
