"""What a step of a redeploy saw: what the flow decides by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from shared.scoring.judgement import Check
from shared.scoring.redeploy.mover import Completion, PlatformState, Snapshot
from shared.scoring.redeploy.record import Ground, Proof, Refusal


@dataclass(frozen=True, kw_only=True)
class Gated:
    """The gate was asked; `refusals` is empty where it lets in. `notes`: what it looked at, or not."""

    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Made:
    """An effect is made: a change, or its undoing, is asked for. `note`: what else went with it."""

    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An examination. `wrong`: it answered, and not as it should."""

    proof: Proof
    wrong: bool = False


@dataclass(frozen=True, kw_only=True)
class PartlyExamined:
    """An examination that goes on in the next step. `checks`: all so far; nothing amiss condemns it."""

    checks: tuple[Check, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A step could not be carried out. `ground` is what it means before anything was changed.

    `left_alone`: somebody else changed it, so that this step did not; a later one may where it is
    `retryable`. `blind`: nothing was seen of the service, for a reason that is not its own, so that
    no time went by for it.
    """

    text: str
    retryable: bool
    blind: bool = False
    left_alone: bool = False
    ground: Ground = Ground.PLATFORM_UNREADABLE


Seen: TypeAlias = (
    Snapshot | Gated | Made | PlatformState | Examined | PartlyExamined | Completion | Trouble
)
