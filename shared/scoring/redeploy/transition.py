"""How the record of a redeploy changes from one step to the next. Pure, and the same for every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from shared.scoring.redeploy.mover import Completion, Phase, PlatformState, Progress, Snapshot
from shared.scoring.redeploy.record import Proof, Redeploy, State, StepNote, Task
from shared.scoring.redeploy.seen import Examined, Gated, PartlyExamined, Seen, Trouble
from shared.shortening import shortened

STATES: Final[Mapping[Task, State]] = MappingProxyType(
    {
        Task.SNAPSHOT: State.QUEUED,
        Task.GATE: State.GATING,
        Task.CHANGE: State.CHANGING,
        Task.WATCH: State.WAITING,
        Task.PROVE: State.PROVING,
        Task.COMPLETE: State.PROVING,
        Task.UNDO: State.UNDOING,
        Task.WATCH_UNDO: State.UNDOING,
        Task.PROVE_OLD: State.UNDOING,
    }
)
UNDOING: Final = frozenset({Task.UNDO, Task.WATCH_UNDO, Task.PROVE_OLD})
WAITING: Final = frozenset({Task.WATCH, Task.PROVE, Task.WATCH_UNDO, Task.PROVE_OLD})

_LOOK: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(seconds=60)
# Not at once: what a step did must be recorded before its successor's message is read.
_NEXT: Final = timedelta(seconds=2)
# A step is done within a minute of its time; what comes later was held up.
_ON_TIME: Final = timedelta(minutes=1)
# At one a minute: after an hour it is better undone than not known.
_MOST_BLIND: Final = 60
_MAX_PROOFS: Final = 30
_MAX_STEPS: Final = 60
_MAX_LINES: Final = 20
_MAX_TEXT: Final = 500


@dataclass(frozen=True, kw_only=True)
class Move:
    """Where to go and why. `end`: the final state, on the way to CLOSE.

    `platform_back`: whether the platform said that undoing is done, None where it was not asked.
    `share`: percent of the traffic that was seen on what is new, None where none moved. `at_once`:
    there is nothing to wait for.
    """

    task: Task
    text: str
    end: State | None = None
    platform_back: bool | None = None
    share: int | None = None
    at_once: bool = False


def to_end(state: State, text: str) -> Move:
    """Return the way to a final state."""
    return Move(task=Task.CLOSE, text=text, end=state)


def to_success(redeploy: Redeploy, text: str) -> Move:
    """Return the way to the end of what is proven, with what is told of what ran before."""
    said = " ".join(filter(None, [redeploy.proofs[-1].text, text]))
    return to_end(State.SUCCEEDED, said)


def not_seen_gone(redeploy: Redeploy, why: str) -> Move:
    """Return the way to the end of what is proven, where nobody could see the old one leave."""
    return to_success(redeploy, f"what ran before was not seen gone, and may cost on: {why}")


def platform_text(seen: Seen) -> str:
    """Return what the platform said, as the end of a sentence; nothing where it was not asked."""
    if not isinstance(seen, PlatformState):
        return ""
    runs = f"{seen.digest} runs" if seen.phase is Phase.READY and seen.digest else ""
    named = " ".join(filter(None, [seen.reason, seen.text]))
    said = "; ".join(filter(None, [named, runs]))
    return f": {said}" if said else ""


def take_note(redeploy: Redeploy, seen: Seen) -> Redeploy:
    """Return the record with what a step saw, still at the same task."""
    if isinstance(seen, PartlyExamined):
        return replace(redeploy, checked=seen.checks, blind=0)
    noted = _counted(redeploy, seen)
    if isinstance(seen, Snapshot):
        return replace(noted, snapshot=seen)
    if isinstance(seen, Gated):
        return replace(noted, refusals=seen.refusals)
    if isinstance(seen, PlatformState):
        digest = seen.digest or noted.digest_after
        lines = tuple(shortened(each, _MAX_TEXT) for each in seen.evidence)[:_MAX_LINES]
        # Why it is undone is the evidence: what was put back runs well and has none.
        first = noted.platform if redeploy.task is Task.WATCH_UNDO else ()
        platform = first or lines or noted.platform
        return replace(noted, digest_after=digest, platform=platform)
    if isinstance(seen, Examined):
        return _with_proof(noted, seen)
    return noted


def _counted(redeploy: Redeploy, seen: Seen) -> Redeploy:
    trouble = seen if isinstance(seen, Trouble) else None
    clearing = isinstance(seen, Completion) and seen.progress is Progress.CLEARING
    # A change that others were faster than was not begun.
    begun = not (trouble and trouble.left_alone)
    return replace(
        redeploy,
        looks=redeploy.looks + 1 if begun else redeploy.looks,
        blind=redeploy.blind + 1 if trouble and trouble.blind else 0,
        is_clearing=redeploy.is_clearing or clearing,
    )


def _with_proof(redeploy: Redeploy, seen: Examined) -> Redeploy:
    return replace(
        redeploy,
        checked=(),
        proofs=_last(redeploy.proofs, seen.proof),
        passes=redeploy.passes + 1 if seen.proof.passed else 0,
        wrongs=redeploy.wrongs + 1 if seen.wrong else 0,
    )


def _last(proofs: tuple[Proof, ...], proof: Proof) -> tuple[Proof, ...]:
    """Return the proofs with one more; of the new one and of the old each the last ones."""
    same = [each for each in (*proofs, proof) if each.of == proof.of][-_MAX_PROOFS:]
    return (*(each for each in proofs if each.of != proof.of), *same)


def without_lost_time(redeploy: Redeploy, *, now: datetime) -> Redeploy:
    """Return the record after a step, with the time given back in which nobody could look.

    That is how much later than usual the step was done, since our own storage or host was away; of
    one that saw nothing also the wait before it, but not for ever.
    """
    waited_since = redeploy.steps[-1].ended_at if redeploy.steps else redeploy.task_since
    usual = redeploy.due_at + _ON_TIME
    lost = now - (waited_since if 0 < redeploy.blind <= _MOST_BLIND else usual)
    return replace(redeploy, task_since=redeploy.task_since + max(timedelta(0), lost))


def move_on(redeploy: Redeploy, move: Move, *, now: datetime) -> Redeploy:
    """Return the record at its next step, held by nobody."""
    state = move.end or STATES[move.task]
    # An end repeats why it was undone, and must not lose what it adds to that.
    text = shortened(move.text, 2 * _MAX_TEXT if move.end else _MAX_TEXT)
    note = StepNote(step=redeploy.step, at=now, task=redeploy.task, state=state, text=text)
    moved = replace(
        redeploy,
        state=state,
        task=move.task,
        step=redeploy.step + 1,
        tries=0,
        owner="",
        lease_until=None,
        ended_at=now if move.end else None,
        share=redeploy.share if move.share is None else move.share,
        said=_said(redeploy, move, text),
        steps=_with_note(redeploy.steps, note),
    )
    if move.platform_back is not None:
        moved = replace(moved, platform_back=move.platform_back)
    if move.task is redeploy.task:
        return replace(moved, due_at=now + (_NEXT if move.at_once else _wait(moved)))
    first = _LOOK if move.task in WAITING else _NEXT
    begun = replace(moved, task_since=now, due_at=now + first)
    return replace(begun, looks=0, passes=0, wrongs=0, checked=())


def _said(redeploy: Redeploy, move: Move, text: str) -> str:
    # Why it is undone is what people want to know in the end, too.
    turns = move.task is Task.UNDO and redeploy.task not in UNDOING
    failed = move.end is State.UNDO_FAILED or move.platform_back is False
    if failed and redeploy.said and redeploy.said not in text:
        return redeploy.said if text in redeploy.said else f"{redeploy.said}; {text}"
    return text if turns or failed or move.end else redeploy.said


def _with_note(notes: tuple[StepNote, ...], note: StepNote) -> tuple[StepNote, ...]:
    last = notes[-1] if notes else None
    if last and (last.task, last.state, last.text) == (note.task, note.state, note.text):
        return (*notes[:-1], replace(last, times=last.times + 1, last_at=note.at))
    # The beginning tells what was asked and let in, the end how it went.
    kept = (*notes[:5], *notes[-(_MAX_STEPS - 6) :]) if len(notes) >= _MAX_STEPS - 1 else notes
    return (*kept, note)


def _wait(redeploy: Redeploy) -> timedelta:
    # Proofs are what everybody waits for; what a platform does takes minutes, or goes wrong.
    if redeploy.passes:
        return _LOOK
    return min(_LONGEST_WAIT, _LOOK * max(1, redeploy.looks))
