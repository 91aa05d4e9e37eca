"""Say what is known of a stop whose end nobody saw. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.compute.azure import AnswerKind, StopAnswer

_WHY: Mapping[AnswerKind, str] = {
    AnswerKind.ACCEPTED: "A stop was requested, and it was still {state} at the deadline.",
    AnswerKind.CONFLICT: "Another operation was in progress at every attempt: {said}",
    AnswerKind.NOT_SENT: "The stop was not sent: {said}",
    AnswerKind.CLAIMED: "{said} It was still {state} at the deadline.",
    AnswerKind.GONE: "Azure did not find it ({said}), and lists it as {state}.",
    AnswerKind.UNCLEAR: "Whether the stop arrived is not known ({said}); still {state}.",
}


def why_unresolved(answer: StopAnswer | None, *, asked: bool, state: str | None) -> str:
    """Return a sentence about a stop by its last answer; `asked`: whether a request was sent."""
    shown = state or "being created"
    if answer is not None:
        return _WHY[answer.kind].format(said=said(answer), state=shown)
    if asked:
        return _WHY[AnswerKind.ACCEPTED].format(state=shown)
    return f"It was still {shown} at the deadline."


def said(answer: StopAnswer) -> str:
    """Return an answer in Azure's words."""
    return words(answer.code, answer.message)


def words(code: str, message: str) -> str:
    """Return Azure's code and message as one text."""
    return ": ".join(filter(None, (code, message))) or "Azure gives no reason."
