"""What an answer says, unwrapped: JSON inside JSON, and errors told by an answer that says 200.

Scoring servers wrap: an AML v1 front end quotes the text that run() returns, and an rpy2 script
puts texts of JSON into members of JSON. Source of the shapes: azureml-inference-server-http,
plumber's default error handler, and the AML v1 front end's answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from shared.scoring.evidence import Evidence

MAX_LEVELS = 3
# Deeper than any data frame; the walks below and the JSONPath library recurse.
MAX_DEPTH = 60
RUN_FAILED_HEADER = "x-ms-run-function-failed"
_MAX_TEXT = 300
FRONT_END_BYTES = 4096
_FRONT_END = (
    (b"no ready replicas", Evidence.NO_REPLICAS),
    (b"replica closed connection before replying", Evidence.CUT),
    (b"too many requests for service", Evidence.OVERLOADED),
    (b"(overloaded)", Evidence.OVERLOADED),
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer's body. `document` is unwrapped JSON, or the body's text where it is not JSON."""

    document: JsonValue
    is_json: bool


def read_answer(body: bytes) -> Answer:
    """Read a body. Not being JSON is no error: a health route may say Healthy."""
    text = body.decode("utf-8-sig", errors="replace")
    parsed = _parse(text)
    if parsed is None:
        return Answer(document=text, is_json=False)
    unwrapped = unwrap(parsed.value)
    return Answer(document=unwrapped if _is_shallow(unwrapped) else parsed.value, is_json=True)


def unwrap(document: JsonValue, *, levels: int = MAX_LEVELS) -> JsonValue:
    """Replace texts that hold JSON objects or arrays by these, `levels` deep."""
    if isinstance(document, str):
        return _unwrap_text(document, levels)
    if isinstance(document, list):
        return [unwrap(each, levels=levels) for each in document]
    if isinstance(document, dict):
        return {name: unwrap(each, levels=levels) for name, each in document.items()}
    return document


def front_end_says(body: bytes) -> Evidence | None:
    """Return what the texts of an AML v1 front end mean, None for any other text."""
    start = body[:FRONT_END_BYTES].lower()
    return next((evidence for text, evidence in _FRONT_END if text in start), None)


def told_error(headers: Mapping[str, str], answer: Answer) -> str:
    """Return the error that an answer tells although its status says success, else nothing."""
    if headers.get(RUN_FAILED_HEADER, "").strip().lower() == "true":
        return f"{RUN_FAILED_HEADER}: True"
    if isinstance(answer.document, str):
        told = front_end_says(answer.document.encode(errors="replace"))
        return _short(answer.document) if told else ""
    member = _error_member(answer.document)
    return f"{member}: {_short(_message(answer.document, member))}" if member else ""


def _error_member(document: JsonValue) -> str | None:
    """Return the name of a top-level member that tells an error: plumber's, or rpy2's envelope.

    A number called `error` is a result (a standard error, say), and so is an empty one.
    """
    if not isinstance(document, dict):
        return None
    return next(
        (name for name in document if _names_error(name) and _message(document, name)), None
    )


def _names_error(name: str) -> bool:
    return name.lower() == "error" or name.lower().endswith(": error")


def _message(document: JsonValue, name: str) -> str:
    told = document[name] if isinstance(document, dict) else None
    while isinstance(told, list) and len(told) == 1:
        told = told[0]
    if isinstance(told, dict):
        told = told.get("message") or json.dumps(told)
    return told.strip() if isinstance(told, str) else ""


@dataclass(frozen=True, kw_only=True)
class _Parsed:
    value: JsonValue


def _unwrap_text(text: str, levels: int) -> JsonValue:
    if levels == 0 or not text.lstrip().startswith(("{", "[", '"')):
        return text
    parsed = _parse(text)
    if parsed is None:
        return text
    inner = unwrap(parsed.value, levels=levels - 1)
    # A quoted word stays what it is: only tables, vectors and objects are worth unwrapping.
    return inner if isinstance(inner, dict | list) else text


def _parse(text: str) -> _Parsed | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _Parsed(value=value) if _is_shallow(value) else None


def _is_shallow(document: JsonValue) -> bool:
    layer: list[JsonValue] = [document]
    for _ in range(MAX_DEPTH):
        layer = [inner for each in layer for inner in _inside(each)]
        if not layer:
            return True
    return False


def _inside(document: JsonValue) -> list[JsonValue]:
    if isinstance(document, dict):
        return [each for each in document.values() if isinstance(each, dict | list)]
    if isinstance(document, list):
        return [each for each in document if isinstance(each, dict | list)]
    return []


def _short(text: str) -> str:
    # JSON may hold half a surrogate pair, which no log can write.
    plain = " ".join(text.encode(errors="replace").decode().split())
    return plain if len(plain) <= _MAX_TEXT else f"{plain[:_MAX_TEXT]}..."
