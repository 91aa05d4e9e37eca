"""Follow one instance from the first look to its outcome. Pure: looks and answers in, steps out.

An outcome is what a list showed. What the lists say of Azure's last operation is read in `evidence`.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from shared.compute.absence import Absence
from shared.compute.azure import AnswerKind, OperationState, StopAnswer
from shared.compute.evidence import MAY_HAVE_STOPPED, Evidence, stop_since
from shared.compute.history import Claim
from shared.compute.instance import Compute, InstanceState, LastOperation
from shared.compute.patience import NOTHING_DONE, Patience
from shared.compute.policy import Decision, Judge, Reason, Verdict
from shared.compute.report import Outcome
from shared.compute.unresolved import said, when_seen, why_unresolved, words


class Step(StrEnum):
    """What the run has to do next about an instance."""

    NONE = "none"
    ASK = "ask"
    LOOK = "look"
    READ_OPERATION = "read_operation"
    CONFIRM_ABSENCE = "confirm_absence"


class Watch:
    """One instance in one run."""

    def __init__(
        self,
        compute: Compute,
        *,
        seen_at: datetime,
        judge: Judge,
        patience: Patience,
        lost: Claim | None = None,
    ) -> None:
        """Begin with a first look. `lost`: the claim of a lost worker of this run."""
        self.first = replace(compute, state=lost.state) if lost and lost.state else compute
        self.seen: Compute | None = compute
        self.seen_at = seen_at
        self.verdict: Verdict = judge(self.first, lost.claimed_at if lost else seen_at)
        self.first_verdict = self.verdict
        self.outcome: Outcome | None = None
        self.detail = ""
        self.answer: StopAnswer | None = None
        self.asked_at: datetime | None = None
        self._judge = judge
        self._patience = patience
        self._answered_at = self._looked_at = seen_at
        self._before: LastOperation | None = None
        self._unclear = 0
        self._operation_read = self._failure_read = False
        self._unread = ""
        self._absence = Absence()
        self.claim: Claim | None = None
        self._is_told = lost is not None
        if lost is None:
            self._settle_undecided()
        else:
            self._asked_by_lost_worker(lost.claimed_at)
            self._settle_asked(compute)

    @property
    def is_open(self) -> bool:
        """Whether the run still has to look at this instance."""
        return self.outcome is None

    @property
    def state(self) -> str | None:
        """The state in the last list; None while being created, or once gone."""
        return self.seen.state if self.seen else None

    @property
    def seconds(self) -> float | None:
        """From the stop request to the list that showed the end; None if nothing was asked."""
        if self.asked_at is None or self.seen_at < self.asked_at:
            return None
        return round((self.seen_at - self.asked_at).total_seconds(), 3)

    def may_be_stopped_since(self, began_at: datetime) -> None:
        """Other workers of the run, which began then, may have stopped it: no record tells."""
        said = stop_since(self.first.last_operation, began_at)
        if not said or self.state not in {InstanceState.STOPPED, InstanceState.STOPPING}:
            return
        self._is_told = True
        self.detail = said
        if self.outcome is Outcome.LEFT:
            self.outcome = Outcome.ALREADY_STOPPED

    def plan(self) -> None:
        """End as a dry run does: say what would be done, touch nothing."""
        self._settle(Outcome.PLANNED)

    def decide_again(self, now: datetime) -> None:
        """Decide anew about what was seen last: exemptions come, and the clock goes on."""
        if self.is_open and self.seen is not None:
            self._reconsider(self.seen, at=now)

    def asking(self, now: datetime) -> None:
        """Record that a stop is being sent."""
        self.asked_at = now
        self.answer = None
        self._before = self.seen.last_operation if self.seen else None

    def answered(self, answer: StopAnswer, *, now: datetime) -> None:
        """Record Azure's answer to the stop; what GONE means the next lists will show."""
        self.answer, self._answered_at = answer, now
        self._unclear += answer.kind is AnswerKind.UNCLEAR
        if self.seen and self.state == InstanceState.STOPPED:
            # It came to rest while the answer was awaited, which says whose doing it was.
            self._settle_asked(self.seen)
        elif answer.kind is AnswerKind.REFUSED or (
            answer.kind is AnswerKind.CONFLICT and self.verdict.reason is Reason.DEAD_END
        ):
            self._settle(Outcome.REFUSED, said(answer))

    def look(
        self, compute: Compute | None, *, seen_at: datetime, began_at: datetime | None = None
    ) -> None:
        """Take in what a list showed; None when the instance is no longer listed.

        `began_at`: when the list was asked for, if not at once. One that was asked for before the
        stop tells nothing of it.
        """
        began_at = began_at or seen_at
        if not self.is_open or (self.asked_at is not None and began_at < self.asked_at):
            return
        if compute is None:
            self._absence.go_on(seen_at)
            return
        self._absence, self._looked_at = Absence(), began_at
        if self.state == compute.state == InstanceState.STOPPED:
            # Seen while the answer is still awaited: the first sight of it counts.
            return
        self.seen, self.seen_at = compute, seen_at
        if self.answer is None and self.asked_at is None:
            self._reconsider(compute, at=seen_at)
        else:
            self._settle_asked(compute)

    def read(self, operation: OperationState) -> None:
        """Take in the operation behind an accepted stop; it has the reason of a failure."""
        self._operation_read, self._failure_read = True, self._evidence.stop_failed
        self._unread = ""
        if operation.failed:
            self._settle(Outcome.STOP_FAILED, words(operation.code, operation.message))

    def operation_unreadable(self, why: str) -> None:
        """The operation could not be read: a failure that the list showed still stands."""
        self._operation_read, self._failure_read = True, self._evidence.stop_failed
        self._unread = f"Its operation could not be read: {why}"
        if self._failure_read:
            self._settle(Outcome.STOP_FAILED, self._unread)

    def gone(self) -> None:
        """Azure does not find it any more, as the lists said."""
        # A list may have shown it again meanwhile.
        if self.is_open and self._absence.seen_at:
            self.seen, self.seen_at = None, self._absence.seen_at
            self._settle(Outcome.LEFT, "It was deleted during the run.")

    def not_gone(self, why: str) -> None:
        """That it is gone could not be confirmed: only a list that shows it says how it ends."""
        if self._absence.lists:
            self._absence.doubt(why)

    def step(self, now: datetime) -> Step:
        """What to do next; NONE when the outcome is known."""
        if not self.is_open:
            return Step.NONE
        if self._absence.is_worth_a_question:
            return Step.CONFIRM_ABSENCE
        if self.asked_at is None:
            return Step.ASK if self.verdict.decision is Decision.STOP else Step.LOOK
        if self.answer is None:
            return Step.LOOK
        return self._step_answered(self.answer, now)

    def last_step(self) -> Step:
        """What to do about it after the last look, before it is closed."""
        if self.is_open and self._absence.lists:
            return Step.CONFIRM_ABSENCE
        has_operation = self.answer is not None and self.answer.operation
        return Step.READ_OPERATION if self.is_open and has_operation else Step.NONE

    def close(self, *, last_look: datetime | None = None) -> None:
        """The deadline came: say what is known, and that it is not enough.

        `last_look`: when the list after the deadline was asked for; it may not have come.
        """
        if not self.is_open:
            return
        when, asked = when_seen(self.seen_at, last_look=last_look), self.asked_at is not None
        if self.state == InstanceState.STOPPING:
            outcome, why = Outcome.STILL_STOPPING, f"It had not stopped {when}."
        else:
            outcome = Outcome.UNRESOLVED
            why = why_unresolved(self.answer, asked=asked, state=self.state, when=when)
        self._settle(outcome, " ".join(filter(None, (why, self._unread, self._absence.detail))))

    def give_up(self, why: str) -> None:
        """Nobody looks any more, long before the deadline perhaps: say why."""
        self._settle(
            Outcome.UNRESOLVED, f"It was last seen {self.state or 'being created'}: {why}."
        )

    def shows_no_effect_of(self, claim: Claim) -> bool:
        """Whether the last look came late enough to show an effect of a claimed stop, and shows none."""
        return self._looked_at - claim.claimed_at >= self._patience.without_effect

    def claimed_by(self, claim: Claim, *, run_id: str, now: datetime) -> None:
        """Record that a stop was asked for already: by another run, or by a lost worker of ours."""
        self._answered_at = now
        if claim.run_id == run_id:
            self._asked_by_lost_worker(claim.claimed_at)
            return
        self.detail = f"Run {claim.run_id} asked for its stop."
        self.answer = StopAnswer(kind=AnswerKind.CLAIMED, at=claim.claimed_at, message=self.detail)

    def _asked_by_lost_worker(self, claimed_at: datetime) -> None:
        self.asked_at = self._answered_at = claimed_at
        self._unclear += 1
        self.detail = "A worker of this run asked for its stop, and what it saw was lost."
        self.answer = StopAnswer(kind=AnswerKind.UNCLEAR, at=claimed_at, message=self.detail)

    def _step_answered(self, answer: StopAnswer, now: datetime) -> Step:
        if answer.kind is AnswerKind.ACCEPTED:
            return Step.READ_OPERATION if self._needs_operation(now) else Step.LOOK
        if self._is_unclear and self._evidence.took_effect:
            return Step.LOOK
        # Only a look that came late enough shows that a stop had no effect.
        waited = self._looked_at - self._answered_at
        dead_end = self.verdict.reason is Reason.DEAD_END
        wait = self._patience.before_asking_again(answer, dead_end=dead_end, unclear=self._unclear)
        if self.verdict.decision is Decision.STOP and waited >= wait:
            return Step.ASK
        return Step.LOOK

    def _needs_operation(self, now: datetime) -> bool:
        if self._evidence.stop_failed:
            return not self._failure_read
        without_effect = self.state != InstanceState.STOPPING
        late = without_effect and now - self._answered_at >= self._patience.without_effect
        return late and not self._operation_read

    def _settle_undecided(self) -> None:
        if self.verdict.decision is Decision.REPORT:
            self._settle(Outcome.UNKNOWN, self.verdict.text)
        elif self.verdict.decision is Decision.LEAVE:
            came_to_rest = self.state == InstanceState.STOPPED != self.first.state
            self._settle(Outcome.ALREADY_STOPPED if came_to_rest else Outcome.LEFT)

    def _settle_asked(self, compute: Compute) -> None:
        if compute.state == InstanceState.DELETING:
            self._settle(Outcome.LEFT, "Its deletion began during the run.")
        elif self.answer is None:
            # The answer will say whose doing it is, whatever is seen.
            return
        elif compute.state == InstanceState.STOPPED:
            by_us = self.answer.kind in MAY_HAVE_STOPPED
            self._settle(Outcome.STOPPED if by_us else Outcome.ALREADY_STOPPED)
        elif self._evidence.started_since:
            self._settle(Outcome.STARTED_AGAIN, self._evidence.who_started)
        elif self._evidence.stop_failed and (self._failure_read or self._is_unclear):
            self._settle(Outcome.STOP_FAILED, "Azure reports StopFailed and gives no reason.")
        else:
            self._reconsider(compute, at=self.seen_at)

    def _reconsider(self, compute: Compute, *, at: datetime) -> None:
        """What was not asked yet, or whose stop did nothing, or may have, is decided again."""
        kind = self.answer.kind if self.answer else None
        if kind is AnswerKind.ACCEPTED:
            return
        self.verdict = self._judge(compute, at)
        is_told = kind is AnswerKind.CLAIMED or self._is_told
        if self.verdict.reason is not self.first_verdict.reason and not is_told:
            became = f"It became {compute.state} during the run."
            self.detail = became if compute.state != self.first.state else self.verdict.text
        if kind is None or kind in NOTHING_DONE:
            self._settle_undecided()

    @property
    def _is_unclear(self) -> bool:
        return self.answer is not None and self.answer.kind is AnswerKind.UNCLEAR

    @property
    def _evidence(self) -> Evidence:
        last = self.seen.last_operation if self.seen else None
        return Evidence(before=self._before, asked_at=self.asked_at, answer=self.answer, last=last)

    def _settle(self, outcome: Outcome, detail: str = "") -> None:
        if self.is_open:
            self.outcome, self.detail = outcome, detail or self.detail
