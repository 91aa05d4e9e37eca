"""Turn what a request of the checks found into a check: what of it is not as declared. Pure.

Answers' bodies are not kept: what was wrong with them is in the check; only what a front end says is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from shared.scoring.answer import FRONT_END_BYTES, Answer, front_end_says, read_answer, told_error
from shared.scoring.expectation import MAX_MISMATCHES, mismatches
from shared.scoring.judgement import Check, CheckKind
from shared.scoring.key_echo import NO_KEYS, SentKeys
from shared.scoring.probe import Contact, Probe
from shared.scoring.service import Golden, Route


def examine_route(kind: CheckKind, route: Route, probe: Probe, keys: SentKeys = NO_KEYS) -> Check:
    """Examine what a cheap route answered; `name` is its path. `keys` are told to nobody."""
    seen = _without_body(probe, keys)
    if probe.contact is not Contact.ANSWERED:
        return Check(kind=kind, name=route.path, probe=seen)
    return Check(kind=kind, name=route.path, probe=seen, mismatches=_of_route(route, probe))


def examine_golden(golden: Golden, probe: Probe, keys: SentKeys = NO_KEYS) -> Check:
    """Examine what a golden request was answered. `keys` are told to nobody."""
    kind, name, seen = CheckKind.GOLDEN, golden.name, _without_body(probe, keys)
    if probe.contact is not Contact.ANSWERED:
        return Check(kind=kind, name=name, probe=seen)
    if not _says_success(probe):
        return Check(kind=kind, name=name, probe=seen, mismatches=(_status(probe, "2xx"),))
    read = read_answer(probe.body)
    answer = replace(read, document=keys.hidden_in(read.document))
    found = tuple(islice(_of_golden(golden, answer, probe), MAX_MISMATCHES))
    # An expectation of the whole answer may expect an error: then the answer is right with it.
    expected = not found and any(each.at == "$" for each in golden.expect)
    error = "" if expected else told_error(probe.headers, answer)
    return Check(kind=kind, name=name, probe=seen, mismatches=found, error_text=error)


def not_sent(kind: CheckKind, name: str, reason: str, *, unavailable: bool = False) -> Check:
    """Return the check whose request could not be sent; `reason` says why, without secrets."""
    return Check(kind=kind, name=name, probe=None, mismatches=(reason,), unavailable=unavailable)


def _without_body(probe: Probe, keys: SentKeys) -> Probe:
    # A front end's words are part of what a check found: whoever reads the check finds the same.
    if not front_end_says(probe.body):
        return replace(probe, body=b"") if probe.body else probe
    # Latin-1 has a character for every byte.
    kept = keys.hidden(probe.body.decode("latin-1")).encode("latin-1")
    return replace(probe, body=kept[:FRONT_END_BYTES])


def _of_route(route: Route, probe: Probe) -> tuple[str, ...]:
    if not route.accepts(probe.status or 0):
        return (_status(probe, "any below 500" if route.status is None else str(route.status)),)
    text = probe.body.decode("utf-8", errors="replace")
    if route.contains is not None and route.contains not in text:
        return (f"the answer does not hold {route.contains!r}",)
    return ()


def _of_golden(golden: Golden, answer: Answer, probe: Probe) -> Iterable[str]:
    for each in golden.expect:
        found = mismatches(each, answer.document)
        if found and not answer.is_json:
            yield f"the answer is {_what_it_is(probe)}; {found[0]}"
            return
        yield from found


def _what_it_is(probe: Probe) -> str:
    encoding = probe.headers.get("content-encoding", "").strip().lower()
    return "not JSON" if encoding in {"", "identity"} else "compressed, which nobody asked for"


def _says_success(probe: Probe) -> bool:
    return 200 <= (probe.status or 0) < 300  # noqa: PLR2004  # RFC 9110, 15.3


def _status(probe: Probe, wanted: str) -> str:
    return f"expected status {wanted}, got {probe.status}"
