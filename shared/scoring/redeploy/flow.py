r"""What comes after a step, given what it saw. Pure: no clock, no platform, no queue.

    snapshot -> gate -> change -> watch -> prove <-> complete -> close (succeeded)
                  |        \\        \\       \\         \\
                refused     `-------`-------`---------`-> undo -> watch_undo -> prove_old -> close

Where traffic goes over in steps, each is waited for in `complete` and proven once it was seen to hold.
What is not there in time, or answers wrongly, is undone, and the old one is proven again: a redeploy
that ends well ends in a proven state. Nothing is undone before the step that may have changed it, so
that a change that others were faster than is refused, too, where none of its steps sent anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from shared.scoring.redeploy.image_reference import parse_image
from shared.scoring.redeploy.mover import Completion, Phase, PlatformState, Progress, Snapshot
from shared.scoring.redeploy.record import Abort, Ground, Redeploy, Refusal, State, Task
from shared.scoring.redeploy.seen import Gated, Made, PartlyExamined, Seen, Trouble
from shared.scoring.redeploy.transition import (
    UNDOING,
    WAITING,
    Move,
    move_on,
    not_seen_gone,
    platform_text,
    take_note,
    to_end,
    to_success,
    without_lost_time,
)

BEFORE_CHANGE: Final = frozenset({Task.SNAPSHOT, Task.GATE})


def _limits() -> Mapping[Task, timedelta]:
    minutes = {
        Task.SNAPSHOT: 5,
        Task.GATE: 5,
        Task.CHANGE: 5,
        Task.WATCH: 20,
        Task.PROVE: 10,
        Task.COMPLETE: 20,
        Task.UNDO: 15,
        Task.WATCH_UNDO: 20,
        Task.PROVE_OLD: 10,
    }
    return MappingProxyType({task: timedelta(minutes=each) for task, each in minutes.items()})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When to give up. `proofs`: right examinations in a row; `wrongs`: wrong ones in a row.

    `time`: how long a task may be tried, from its first step, but for the time in which nobody
    could look; each step of traffic has its own.
    """

    proofs: int = 3
    wrongs: int = 3
    time: Mapping[Task, timedelta] = field(default_factory=_limits)


def advance(redeploy: Redeploy, seen: Seen, *, now: datetime, limits: Limits) -> Redeploy:
    """Take in what the step of `redeploy.task` saw, and return the record for its next step."""
    noted = without_lost_time(take_note(redeploy, seen), now=now)
    if isinstance(seen, Trouble):
        move = _after_trouble(noted, seen, late=_is_late(noted, now, limits))
        noted = _with_ground(noted, seen, move)
    else:
        move = _AFTER[noted.task](noted, seen, now, limits)
    return move_on(noted, move, now=now)


def aborted(redeploy: Redeploy, abort: Abort, *, now: datetime) -> Redeploy | None:
    """Return the record after somebody's abort; None where it comes too late or is under way."""
    if redeploy.is_settled or redeploy.task in UNDOING:
        return None
    by = f"aborted by {abort.by}" if abort.by else "aborted"
    marked = replace(redeploy, aborted=abort)
    if _is_untouched(redeploy):
        return move_on(marked, to_end(State.ABORTED, f"{by}; nothing was changed"), now=now)
    return move_on(marked, Move(task=Task.UNDO, text=by), now=now)


def given_up(redeploy: Redeploy, why: str, *, now: datetime) -> Redeploy:
    """Return the record after a step failed for good, however often it was tried."""
    if _is_untouched(redeploy):
        refusal = Refusal(ground=Ground.GAVE_UP, text=why)
        refused = replace(redeploy, refusals=(refusal,))
        return move_on(refused, to_end(State.REFUSED, f"{why}; nothing was changed"), now=now)
    if redeploy.task in UNDOING:
        return move_on(redeploy, _without_undoing(redeploy, why), now=now)
    if redeploy.is_clearing:
        return move_on(redeploy, not_seen_gone(redeploy, why), now=now)
    return move_on(redeploy, Move(task=Task.UNDO, text=why), now=now)


def closed(redeploy: Redeploy, *, now: datetime) -> Redeploy:
    """Return the record after its end was told: the lease is given back."""
    return replace(
        redeploy, is_closed=True, step=redeploy.step + 1, owner="", lease_until=None, due_at=now
    )


def _is_untouched(redeploy: Redeploy) -> bool:
    # A change that was begun once may be there, whatever became of the one who began it.
    first = redeploy.tries <= 1 and not redeploy.looks
    return redeploy.task in BEFORE_CHANGE or (redeploy.task is Task.CHANGE and first)


def _after_snapshot(_: Redeploy, seen: Seen, _now: datetime, _limits: Limits) -> Move:
    digest = seen.digest if isinstance(seen, Snapshot) else None
    return Move(task=Task.GATE, text=f"what runs is recorded: {digest or 'digest not known'}")


def _after_gate(redeploy: Redeploy, seen: Seen, _now: datetime, _limits: Limits) -> Move:
    if redeploy.refusals:
        return to_end(State.REFUSED, "; ".join(each.text for each in redeploy.refusals))
    notes = seen.notes if isinstance(seen, Gated) else ()
    if redeploy.dry_run:
        said = "a dry run: it would be let in; nothing was changed"
        return to_end(State.SUCCEEDED, "; ".join((said, *notes)))
    return Move(task=Task.CHANGE, text="; ".join(("nothing speaks against it", *notes)))


def _after_change(_: Redeploy, _seen: Seen, _now: datetime, _limits: Limits) -> Move:
    return Move(task=Task.WATCH, text="the change is asked for")


def _after_watch(redeploy: Redeploy, seen: Seen, now: datetime, limits: Limits) -> Move:
    said = platform_text(seen)
    phase = seen.phase if isinstance(seen, PlatformState) else Phase.WAITING
    if phase is Phase.READY and not _is_ordered_elsewhere(redeploy, seen):
        return Move(task=Task.PROVE, text=f"its platform says ready{said}")
    if phase is Phase.FAILED:
        return Move(task=Task.UNDO, text=f"its platform says that it failed{said}")
    if _is_late(redeploy, now, limits):
        return Move(task=Task.UNDO, text=f"it was not ready in time{said}")
    return Move(task=Task.WATCH, text=f"its platform is at it{said}")


def _after_proof(redeploy: Redeploy, seen: Seen, now: datetime, limits: Limits) -> Move:
    if isinstance(seen, PartlyExamined):
        return _examined_on(redeploy, seen)
    proof = redeploy.proofs[-1]
    # Everybody is on what was proven N times already: one more look suffices after each step.
    needed = 1 if redeploy.share else limits.proofs
    if redeploy.passes >= needed:
        return Move(task=Task.COMPLETE, text=_proven(redeploy))
    if redeploy.wrongs >= limits.wrongs:
        return Move(task=Task.UNDO, text=f"it answers wrongly: {proof.text}")
    if _has_proven_nothing(redeploy, now, limits):
        return Move(task=Task.UNDO, text=f"it was not proven in time: {proof.text}")
    return Move(task=Task.PROVE, text=f"{proof.verdict}: {proof.text}")


def _examined_on(redeploy: Redeploy, seen: PartlyExamined) -> Move:
    # However late: who answers right is heard out. That ends, since each part asks something.
    return Move(task=redeploy.task, text=seen.text, at_once=True)


def _after_completion(redeploy: Redeploy, seen: Seen, now: datetime, limits: Limits) -> Move:
    step = seen if isinstance(seen, Completion) else Completion(progress=Progress.MOVING)
    if step.progress is Progress.LANDED:
        return _after_landing(redeploy, step)
    late = _is_late(redeploy, now, limits)
    # Nobody wants a good version undone because the one before it could not be cleared away.
    if step.progress is Progress.DONE or (late and step.progress is Progress.CLEARING):
        return to_success(redeploy, step.text)
    if late:
        minutes = limits.time[Task.COMPLETE] // timedelta(minutes=1)
        text = f"a step of traffic was not carried out within {minutes} minutes: {step.text}"
        return Move(task=Task.UNDO, text=text)
    return Move(task=Task.COMPLETE, text=step.text)


def _after_landing(redeploy: Redeploy, landed: Completion) -> Move:
    # A mover whose steps lead nowhere would go on for ever.
    if landed.share <= redeploy.share:
        text = f"it was proven under {redeploy.share} % of the traffic, and has {landed.share} %"
        return Move(task=Task.UNDO, text=text)
    return Move(task=Task.PROVE, text=landed.text, share=landed.share)


def _after_undo(_: Redeploy, seen: Seen, _now: datetime, _limits: Limits) -> Move:
    note = seen.note if isinstance(seen, Made) else ""
    text = "; ".join(filter(None, ["what ran before is asked for", note]))
    return Move(task=Task.WATCH_UNDO, text=text)


def _after_watch_undo(redeploy: Redeploy, seen: Seen, now: datetime, limits: Limits) -> Move:
    said = platform_text(seen)
    phase = seen.phase if isinstance(seen, PlatformState) else Phase.WAITING
    if phase is Phase.READY and not _is_another_than_before(redeploy, seen):
        return Move(task=Task.PROVE_OLD, text=f"it is back{said}", platform_back=True)
    if _is_late(redeploy, now, limits):
        return Move(task=Task.PROVE_OLD, text=f"it was not back in time{said}", platform_back=False)
    if phase is Phase.FAILED:
        return Move(task=Task.WATCH_UNDO, text=f"its platform says that it is not back{said}")
    return Move(task=Task.WATCH_UNDO, text=f"its platform is at it{said}")


def _after_old_proof(redeploy: Redeploy, seen: Seen, now: datetime, limits: Limits) -> Move:
    if isinstance(seen, PartlyExamined):
        return _examined_on(redeploy, seen)
    proof = redeploy.proofs[-1]
    if redeploy.passes >= limits.proofs:
        return _proven_old(redeploy)
    if redeploy.wrongs >= limits.wrongs or _has_proven_nothing(redeploy, now, limits):
        what = "what was put back" if redeploy.platform_back else "what answers now"
        return to_end(State.UNDO_FAILED, f"{what} is not proven: {proof.text}")
    return Move(task=Task.PROVE_OLD, text=f"{proof.verdict}: {proof.text}")


def _proven_old(redeploy: Redeploy) -> Move:
    if not redeploy.platform_back:
        return to_end(State.UNDO_FAILED, "it answers right, but was not seen to be put back")
    end = State.ABORTED if redeploy.aborted else State.UNDONE
    return to_end(end, f"{redeploy.said}; what ran before is back and proven")


_AFTER: Final[Mapping[Task, Callable[[Redeploy, Seen, datetime, Limits], Move]]] = MappingProxyType(
    {
        Task.SNAPSHOT: _after_snapshot,
        Task.GATE: _after_gate,
        Task.CHANGE: _after_change,
        Task.WATCH: _after_watch,
        Task.PROVE: _after_proof,
        Task.COMPLETE: _after_completion,
        Task.UNDO: _after_undo,
        Task.WATCH_UNDO: _after_watch_undo,
        Task.PROVE_OLD: _after_old_proof,
    }
)


def _after_trouble(redeploy: Redeploy, seen: Trouble, *, late: bool) -> Move:
    """A look that fails is looked again; an effect that is refused for good is undone."""
    task = redeploy.task
    patient = seen.retryable or (task in WAITING | UNDOING and not seen.left_alone)
    if patient and not late:
        return Move(task=task, text=seen.text)
    if task in BEFORE_CHANGE or (seen.left_alone and _is_untouched(redeploy)):
        return to_end(State.REFUSED, f"{seen.text}; nothing was changed")
    if task in UNDOING:
        return _without_undoing(redeploy, seen.text)
    if redeploy.is_clearing and seen.retryable:
        return not_seen_gone(redeploy, seen.text)
    return Move(task=Task.UNDO, text=seen.text)


def _with_ground(redeploy: Redeploy, seen: Trouble, move: Move) -> Redeploy:
    if move.end is not State.REFUSED:
        return redeploy
    return replace(redeploy, refusals=(Refusal(ground=seen.ground, text=seen.text),))


def _without_undoing(redeploy: Redeploy, why: str) -> Move:
    """Return the way on where undoing is given up: what answers now is asked for all the same."""
    if redeploy.task is Task.PROVE_OLD:
        return to_end(State.UNDO_FAILED, f"what answers now is not proven: {why}")
    return Move(task=Task.PROVE_OLD, text=why, platform_back=False)


def _proven(redeploy: Redeploy) -> str:
    under = f", under {redeploy.share} % of the traffic" if redeploy.share else ""
    times = "once" if redeploy.passes == 1 else f"{redeploy.passes} times in a row"
    return f"proven {times}{under}"


def _is_ordered_elsewhere(redeploy: Redeploy, seen: Seen) -> bool:
    """Whether the platform calls ready what ran before, though another digest was ordered."""
    ordered = parse_image(redeploy.change.target)
    if ordered is None or not ordered.digest or not isinstance(seen, PlatformState):
        return False
    before = redeploy.snapshot.digest if redeploy.snapshot else None
    return seen.digest is not None and seen.digest == before != ordered.digest


def _is_another_than_before(redeploy: Redeploy, seen: Seen) -> bool:
    """Whether the platform says that all is back, and that another digest runs than before."""
    before = redeploy.snapshot.digest if redeploy.snapshot else None
    running = seen.digest if isinstance(seen, PlatformState) else None
    return None not in {before, running} and running != before


def _has_proven_nothing(redeploy: Redeploy, now: datetime, limits: Limits) -> bool:
    # Time goes by while a lost worker's message is unseen: who is right now is not too late.
    return _is_late(redeploy, now, limits) and not redeploy.passes


def _is_late(redeploy: Redeploy, now: datetime, limits: Limits) -> bool:
    return now - redeploy.task_since >= limits.time[redeploy.task]
