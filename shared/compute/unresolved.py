"""Say what is known of a stop whose end nobody saw. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.compute.azure import AnswerKind, StopAnswer

_WHY: Mapping[AnswerKind, str] = {
    AnswerKind.ACCEPTED: "A stop was requested, and it was still {state} {when}.",
    AnswerKind.CONFLICT: "Another operation was in progress at every attempt: {said}",
    AnswerKind.NOT_SENT: "The stop was not sent: {said}",
    AnswerKind.CLAIMED: "{said} It was still {state} {when}.",
    AnswerKind.GONE: "Azure did not find it ({said}), and lists it as {state}.",
    AnswerKind.UNCLEAR: "Whether the stop arrived is not known ({said}); it was still {state} {when}.",
}


def why_unresolved(answer: StopAnswer | None, *, asked: bool, state: str | None, when: str) -> str:
    """Return a sentence about a stop by its last answer; `asked`: whether a request was sent.

    `state` is what was seen last, `when`: see `when_seen`.
    """
    shown = state or "being created"
    if answer is not None:
        return _WHY[answer.kind].format(said=said(answer), state=shown, when=when)
    if asked:
        return _WHY[AnswerKind.ACCEPTED].format(state=shown, when=when)
    return f"It was still {shown} {when}."


def when_seen(seen_at: datetime, *, last_look: datetime | None) -> str:
    """Say when an instance was seen last; `last_look`: when the list after the deadline was asked for."""
    if last_look is None or seen_at >= last_look:
        return "at the deadline"
    return f"when it was last seen, at {seen_at:%Y-%m-%dT%H:%M:%SZ}"


def said(answer: StopAnswer) -> str:
    """Return an answer in Azure's words."""
    return words(answer.code, answer.message)


def words(code: str, message: str) -> str:
    """Return Azure's code and message as one text."""
    return ": ".join(filter(None, (code, message))) or "Azure gives no reason."
