"""Carry out what a step is to do, with the platform and the service, and return what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from shared.errors import AzureRequestError, ChangedByOthersError, CredentialError
from shared.scoring.attempts import Examiner
from shared.scoring.blame import NOT_REACHED
from shared.scoring.maintenance import Maintenance
from shared.scoring.records import MaintenanceWindows
from shared.scoring.redeploy.gate import Allowance, grounds_at_the_door, grounds_of_platform
from shared.scoring.redeploy.model_files import ModelLook, told
from shared.scoring.redeploy.model_looks import ModelLooks
from shared.scoring.redeploy.mover import (
    CHANGED_BY_OTHERS,
    ChangeKind,
    Completion,
    Mover,
    Phase,
    PlatformState,
    Snapshot,
)
from shared.scoring.redeploy.proving import Proving
from shared.scoring.redeploy.record import Ground, Redeploy, Task
from shared.scoring.redeploy.seen import Examined, Gated, Made, Seen, Trouble
from shared.scoring.redeploy.surroundings import Surroundings
from shared.scoring.service import Kind

# A queue function's message should be done with in 60 s; the rest is for records and the queue.
STEP_SECONDS: Final = 50.0
# Longer than any way through the flow while nothing is away; it is closed with the redeploy.
_WINDOW: Final = timedelta(hours=4)
# A platform that does not say in this time how it is cannot be asked.
_PLATFORM_SECONDS: Final = 30.0
_ASKS_PLATFORM: Final = frozenset({Task.WATCH, Task.COMPLETE, Task.UNDO, Task.WATCH_UNDO})
_ANSWERS: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND})
_PROOFS: Final = frozenset({Task.PROVE, Task.PROVE_OLD})


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What carries out tasks. `models` is None where nobody can look into models."""

    movers: Mapping[Kind, Mover]
    examiner: Examiner
    surroundings: Surroundings
    maintenance: MaintenanceWindows
    allowance: Allowance
    now: Callable[[], datetime]
    models: ModelLooks | None = None

    async def carry_out(self, redeploy: Redeploy) -> Seen:
        """Do what the record's task says, within a step's time.

        What the platform refuses is seen, too; raised is what is wrong with our own storage or code.
        """
        mover = self.movers.get(redeploy.moved.kind)
        if mover is None:
            text = f"services of kind {redeploy.moved.kind} cannot be redeployed by this app"
            return Trouble(text=text, retryable=False, ground=Ground.UNSUPPORTED_KIND)
        try:
            async with asyncio.timeout(STEP_SECONDS):
                return await self._do(redeploy, mover)
        except TimeoutError:
            # Who proves waits for the service, all others for its platform.
            blind = redeploy.task in _ASKS_PLATFORM
            text = f"{redeploy.task} took over {STEP_SECONDS:.0f} s"
            return Trouble(text=text, retryable=True, blind=blind)
        except (AzureRequestError, CredentialError) as error:
            return _trouble(redeploy.task, error)

    async def _do(self, redeploy: Redeploy, mover: Mover) -> Seen:
        if redeploy.task is Task.SNAPSHOT:
            return await mover.snapshot(redeploy.moved)
        snapshot = _snapshot(redeploy)
        if redeploy.task is Task.GATE:
            return await self._ask_gate(redeploy, snapshot)
        if redeploy.task in {Task.WATCH, Task.WATCH_UNDO}:
            return await _look(redeploy, mover, snapshot)
        if redeploy.task in _PROOFS:
            seen = await Proving(examiner=self.examiner).go_on(redeploy, mover, snapshot)
            return await _unless_cut_off(seen, redeploy, mover, snapshot)
        return await self._make(redeploy, mover, snapshot)

    async def _make(
        self, redeploy: Redeploy, mover: Mover, snapshot: Snapshot
    ) -> Made | Completion:
        service, marker = redeploy.moved, redeploy.marker
        if redeploy.task is Task.COMPLETE:
            await _require_ours(redeploy, mover, snapshot)
            proven = redeploy.share
            return await mover.complete(service, snapshot=snapshot, marker=marker, proven=proven)
        await self._open_window(redeploy)
        if redeploy.task is Task.CHANGE:
            await mover.change(service, redeploy.change, snapshot=snapshot, marker=marker)
            return Made()
        note = await mover.undo(service, snapshot=snapshot, marker=marker)
        return Made(note=note or "")

    async def _ask_gate(self, redeploy: Redeploy, snapshot: Snapshot) -> Gated:
        seen = await self.surroundings.of(redeploy, now=self.now())
        model = await self._look_into_model(redeploy, snapshot)
        return Gated(
            refusals=(
                *grounds_at_the_door(redeploy, seen, allowance=self.allowance),
                *grounds_of_platform(redeploy, snapshot, model=model),
            ),
            notes=tuple(told(model)),
        )

    async def _look_into_model(self, redeploy: Redeploy, snapshot: Snapshot) -> ModelLook:
        change = redeploy.change
        # What cannot be changed here is refused by its own ground, wherever its model is.
        if self.models is None or change.kind is not ChangeKind.MODEL:
            return ModelLook()
        if ChangeKind.MODEL in snapshot.refuses:
            return ModelLook()
        return await self.models.look(redeploy.service, change.target, snapshot=snapshot)

    async def _open_window(self, redeploy: Redeploy) -> None:
        """Let checks go on and alert nobody; a window that somebody opened by hand stays."""
        name, now = redeploy.service.name, self.now()
        found = await self.maintenance.get(name)
        if found and found.holds(now) and found.opened_by != window_owner(redeploy):
            return
        await self.maintenance.put(
            Maintenance(
                service=name,
                until=now + _WINDOW,
                reason=f"redeploy: {redeploy.reason}",
                opened_by=window_owner(redeploy),
                opened_at=now,
            )
        )


def _trouble(task: Task, error: AzureRequestError | CredentialError) -> Trouble:
    theirs = isinstance(error, ChangedByOthersError)
    return Trouble(
        text=str(error),
        retryable=error.retryable,
        blind=_is_blind(task, error),
        left_alone=theirs,
        ground=Ground.CHANGED_BY_OTHERS if theirs else Ground.PLATFORM_UNREADABLE,
    )


def _is_blind(task: Task, error: AzureRequestError | CredentialError) -> bool:
    # A platform that is at work, or does not find it, says to ask again: that is an answer.
    answered = isinstance(error, AzureRequestError) and error.status in _ANSWERS
    return error.retryable and not answered and task in _ASKS_PLATFORM | _PROOFS


def window_owner(redeploy: Redeploy) -> str:
    """Return by whom a redeploy's own maintenance window is opened."""
    return f"redeploy {redeploy.redeploy_id}"


def _snapshot(redeploy: Redeploy) -> Snapshot:
    if redeploy.snapshot is None:
        raise ValueError(f"redeploy {redeploy.redeploy_id} has no snapshot at {redeploy.task}")
    return redeploy.snapshot


async def _look(redeploy: Redeploy, mover: Mover, snapshot: Snapshot) -> PlatformState:
    undone = redeploy.task is Task.WATCH_UNDO
    marker = redeploy.marker
    return await mover.platform_state(
        redeploy.moved, snapshot=snapshot, marker=marker, undone=undone
    )


async def _unless_cut_off(seen: Seen, redeploy: Redeploy, mover: Mover, snapshot: Snapshot) -> Seen:
    """Return what was seen; nothing where neither the service is reached nor its platform: it is us."""
    if not isinstance(seen, Examined) or seen.proof.evidence not in NOT_REACHED:
        return seen
    try:
        async with asyncio.timeout(_PLATFORM_SECONDS):
            await _look(redeploy, mover, snapshot)
    except TimeoutError:
        problem = f"no word of its platform within {_PLATFORM_SECONDS:.0f} s"
    except (AzureRequestError, CredentialError) as error:
        if not _is_blind(redeploy.task, error):
            return seen
        problem = str(error)
    else:
        return seen
    return Trouble(text=f"{seen.proof.text}; {problem}", retryable=True, blind=True)


async def _require_ours(redeploy: Redeploy, mover: Mover, snapshot: Snapshot) -> None:
    """Raise ChangedByOthersError where it was somebody else's by now that answered right."""
    try:
        seen = await _look(redeploy, mover, snapshot)
    except (AzureRequestError, CredentialError):
        # What is proven is not undone for want of a look.
        return
    if seen.phase is Phase.FAILED and seen.reason == CHANGED_BY_OTHERS:
        raise ChangedByOthersError(seen.text)
