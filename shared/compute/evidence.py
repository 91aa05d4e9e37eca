"""What an instance's lastOperation tells of a stop: that it took effect, failed, or was undone.

Pure. Times of Azure's operations are compared with each other, or with Azure's own clock, wherever
there is one; ours serves only where an answer was lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.compute.azure import AnswerKind, StopAnswer
from shared.compute.instance import LastOperation

STARTS = frozenset({"Start", "Restart"})
# What stops or starts a machine without being asked to (lastOperation.operationTrigger).
AZURES_OWN = frozenset({"Schedule", "IdleShutdown"})
MAY_HAVE_STOPPED = frozenset({AnswerKind.ACCEPTED, AnswerKind.UNCLEAR})
# Azure's Date header has whole seconds, its operation times have seven digits.
CLOCK_GRAIN = timedelta(seconds=1)


def stop_since(last: LastOperation | None, began_at: datetime) -> str:
    """Say who stopped it since a run began whose workers may have done so; empty if nobody did."""
    if last is None or last.at is None or last.name != "Stop" or last.at < began_at - CLOCK_GRAIN:
        return ""
    if last.trigger in AZURES_OWN:
        return _who(last)
    return f"{_who(last)} The run had begun by then: one of its workers may have asked for it."


def _who(last: LastOperation) -> str:
    return f"{last.name} by {last.trigger or 'somebody'} at {last.at:%Y-%m-%dT%H:%M:%SZ}."


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The stop: `before` it, the last operation; when it was asked for; its answer. And `last`, now."""

    before: LastOperation | None
    asked_at: datetime | None
    answer: StopAnswer | None
    last: LastOperation | None

    @property
    def took_effect(self) -> bool:
        """Whether Azure began a stop since: ours, or another one that serves as well."""
        last = self.last
        return last is not None and last.name == "Stop" and self._is_new(last)

    @property
    def stop_failed(self) -> bool:
        """Whether the stop that took effect failed."""
        last, answer = self.last, self.answer
        if last is None or last.at is None or answer is None or last.status != "StopFailed":
            return False
        if answer.kind is AnswerKind.UNCLEAR:
            return self.took_effect
        return last.at >= answer.at - CLOCK_GRAIN

    @property
    def started_since(self) -> bool:
        """Whether somebody started the instance after a stop that may have stopped it."""
        last, answer = self.last, self.answer
        if last is None or last.at is None or last.name not in STARTS:
            return False
        if answer is None or answer.kind not in MAY_HAVE_STOPPED:
            return False
        known = self.before.at if self.before else None
        is_new = known is None or last.at > known
        return is_new and last.at > self._stopped_from(answer)

    @property
    def who_started(self) -> str:
        """The start, as a sentence."""
        last = self.last
        return _who(last) if last and last.at else ""

    def _stopped_from(self, answer: StopAnswer) -> datetime:
        # An answer that never came was given up on long after the stop may have had its effect.
        if answer.kind is not AnswerKind.UNCLEAR or self.asked_at is None:
            return answer.at
        return min(answer.at, self.asked_at)

    def _is_new(self, last: LastOperation) -> bool:
        known = self.before.at if self.before else None
        if last.at is None or self.asked_at is None:
            return False
        return last.at > known if known else last.at >= self.asked_at - CLOCK_GRAIN
