"""How long a stop is given before it is looked into, or asked for again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.compute.azure import AnswerKind, StopAnswer

NOTHING_DONE = frozenset({AnswerKind.CONFLICT, AnswerKind.NOT_SENT, AnswerKind.CLAIMED})


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a watch waits.

    `without_effect`: a stop accepted this long ago and still Running has its operation read; one
    whose answer is unclear is asked again once a look this late shows no effect, and after twice
    as long each further time. `conflict`: before a stop that was answered 409, or that could not be
    sent, is asked again.
    """

    without_effect: timedelta = timedelta(seconds=60)
    conflict: timedelta = timedelta(seconds=10)

    def before_asking_again(self, answer: StopAnswer, *, dead_end: bool, unclear: int) -> timedelta:
        """How long before a stop that may have done nothing is asked again; for ever if never.

        `dead_end`: it is tried once. `unclear`: how many answers have been.
        """
        if answer.kind in NOTHING_DONE:
            return max(self.conflict, answer.retry_after)
        if answer.kind is not AnswerKind.UNCLEAR or dead_end:
            return timedelta.max
        twice_each_time = 1 << (unclear - 1)
        return max(self.without_effect * twice_each_time, answer.retry_after)
