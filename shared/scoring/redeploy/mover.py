"""What a redeploy needs of a platform: the port that AKS, ACI, AML v1 and AML online endpoints satisfy.

A mover is asked again after any crash, by any worker, with nothing but what the record holds. So
every effect carries the redeploy's marker, and one that is there already is not made again. No call
takes longer than a step may (60 s): what takes minutes is asked for here and looked at in later steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from pydantic import JsonValue

from shared.scoring.service import Service


class ChangeKind(StrEnum):
    """What a redeploy changes."""

    RESTART = "restart"
    IMAGE = "image"
    MODEL = "model"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is asked for. `target`: an image reference, or `<model>:<version>`; empty: restart."""

    kind: ChangeKind
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """What tells the effects of one redeploy from all others. `at` is fixed when it is queued.

    `change` is what it made, so that what somebody else made of it since is not taken for its own;
    None: nobody says.
    """

    redeploy_id: str
    at: datetime
    change: Change | None = None

    def made(self, kind: ChangeKind) -> str:
        """Return the target of its change if it is of this kind, else nothing."""
        return self.change.target if self.change and self.change.kind is kind else ""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What ran before: all that undoing needs. Kept in the record, so it holds no secret.

    `image` is as declared, `digest` what really runs (`sha256:...`), None where the platform does
    not say. `details` are the mover's own. `refuses`: kinds of change that could not be undone or
    supplied here, each with the reason, in words that name the field.
    """

    image: str
    digest: str | None
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    refuses: Mapping[ChangeKind, str] = field(default_factory=dict)


class Phase(StrEnum):
    """How far a platform is with a change, or with its undoing."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class PlatformState:
    """What a platform says, now. `digest` is what runs now, None where it does not say.

    `reason` is the platform's word (ProgressDeadlineExceeded, CrashLoopBackOff), `text` a sentence,
    `evidence` lines such as exit codes and the tail of a log, without secrets.
    """

    phase: Phase
    reason: str = ""
    text: str = ""
    digest: str | None = None
    evidence: Sequence[str] = ()


class Progress(StrEnum):
    """How far the traffic is on its way to what is new."""

    MOVING = "moving"
    LANDED = "landed"
    CLEARING = "clearing"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What became of a step of traffic.

    `moving`: it was asked for, or the platform is carrying it out. `landed`: `share` percent were
    seen to go to what is new. `clearing`: everybody is served by what was proven, and what ran before
    was not seen gone yet; from then on it is too late for an abort. `done`: nothing is left to do; `text` says what stays all the same.
    """

    progress: Progress
    share: int = 0
    text: str = ""


# The reason of a platform's state that is not this redeploy's any more.
CHANGED_BY_OTHERS: Final = "ChangedByOthers"
NOTHING_LEFT: Final = Completion(progress=Progress.DONE)


class Mover(Protocol):
    """Moves services of one kind. Raises AzureRequestError, CredentialError, or MissingRightError."""

    async def snapshot(self, service: Service) -> Snapshot:
        """Look at what runs; changes nothing."""

    async def change(
        self, service: Service, change: Change, *, snapshot: Snapshot, marker: Marker
    ) -> None:
        """Make the change, unless its marker shows that it was made.

        Raises ChangedByOthersError, and leaves it as it is, where it is not what the snapshot shows.
        """

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        """Look at how far the change is, or with `undone` its undoing."""

    def proof_headers(self, *, snapshot: Snapshot, marker: Marker, share: int) -> Mapping[str, str]:
        """Return headers that lead golden requests to what is new; none where all requests do.

        `share`: the percent of the traffic that what is new was seen to have.
        """

    async def complete(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, proven: int
    ) -> Completion:
        """After a proof: take one step towards serving everybody, or look how far that step is.

        `proven`: the percent of the traffic it was proven under. A step that landed is told until it
        was proven, and the next one is not asked for before. What the platform could not carry out
        is raised.
        """

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> str | None:
        """Bring back what the snapshot shows, pinned by digest, unless it is back already.

        Returns what else that undoes, as far as the platform lets it be seen; None: nothing.
        Raises ChangedByOthersError, and leaves it as it is, where what is there is neither that nor
        what this redeploy made of it.
        """


class ServesAllAtOnce:
    """The part of a mover of platforms where all requests reach what is new once it is ready."""

    def proof_headers(self, *, snapshot: Snapshot, marker: Marker, share: int) -> Mapping[str, str]:
        """None: there is nothing else that a request could reach."""
        del snapshot, marker, share
        return {}

    async def complete(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, proven: int
    ) -> Completion:
        """There is nothing left: everybody is served already."""
        del service, snapshot, marker, proven
        return NOTHING_LEFT
