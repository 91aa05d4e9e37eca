"""A redeploy as it is recorded: what was asked, what was seen step by step, and what comes next.

The record is all that a step needs: any worker can take up where another was lost. It is also the
lease, since a service has at most one that is not closed. It holds no secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter

from shared.scoring.examination import Subject
from shared.scoring.judgement import Check
from shared.scoring.presets import service_checks
from shared.scoring.redeploy.mover import Change, ChangeKind, Marker, Snapshot
from shared.scoring.runs_on import kind_beneath
from shared.scoring.service import Service


class State(StrEnum):
    """What a redeploy is called."""

    QUEUED = "queued"
    GATING = "gating"
    CHANGING = "changing"
    WAITING = "waiting"
    PROVING = "proving"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"
    ABORTED = "aborted"
    REFUSED = "refused"


FINAL: Final = frozenset(
    {State.SUCCEEDED, State.UNDONE, State.UNDO_FAILED, State.ABORTED, State.REFUSED}
)


class Task(StrEnum):
    """What the next step does. One message carries out one."""

    SNAPSHOT = "snapshot"
    GATE = "gate"
    CHANGE = "change"
    WATCH = "watch"
    PROVE = "prove"
    COMPLETE = "complete"
    UNDO = "undo"
    WATCH_UNDO = "watch_undo"
    PROVE_OLD = "prove_old"
    CLOSE = "close"


class Trigger(StrEnum):
    """What began a redeploy."""

    HTTP = "http"
    HEALING = "healing"
    SCHEDULE = "schedule"
    TAG = "tag"
    PROMOTION = "promotion"


class Ground(StrEnum):
    """Why a redeploy is not let near a service."""

    IN_MAINTENANCE = "in_maintenance"
    IN_PROGRESS = "in_progress"
    COOLDOWN = "cooldown"
    BUDGET_SPENT = "budget_spent"
    BREAKER_OPEN = "breaker_open"
    UNSUPPORTED_KIND = "unsupported_kind"
    ADDRESS_UNKNOWN = "address_unknown"
    CHANGE_NOT_POSSIBLE = "change_not_possible"
    PROOF_NOT_POSSIBLE = "proof_not_possible"
    DIGEST_UNKNOWN = "digest_unknown"
    MODEL_NOT_FOUND = "model_not_found"
    MODEL_UNSUITED = "model_unsuited"
    PLATFORM_UNREADABLE = "platform_unreadable"
    SERVICE_GONE = "service_gone"
    CHANGED_BY_OTHERS = "changed_by_others"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One ground and its sentence. `retry_after_seconds`: when it may hold no more, if that is known."""

    ground: Ground
    text: str
    retry_after_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One examination with golden requests. `of`: `new`, or `old` after undoing."""

    at: datetime
    of: str
    passed: bool
    verdict: str
    evidence: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StepNote:
    """What one step saw. The same seen again is counted: `times`, the last at `last_at`."""

    step: int
    at: datetime
    task: Task
    state: State
    text: str
    times: int = 1
    last_at: datetime | None = None

    @property
    def ended_at(self) -> datetime:
        """When it was seen last."""
        return self.last_at or self.at


@dataclass(frozen=True, kw_only=True)
class Abort:
    """Somebody wants it undone. `by` is empty where nobody was authenticated."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Redeploy:
    """One redeploy of one service.

    `asked_by` is empty where nobody was authenticated. `step` counts steps that ended; `tries` how
    often the present one was begun, by `owner` until `lease_until`. `due_at`: when its message is
    due. `task_since`: since when it is at its task, but for the time in which nobody could look.
    `blind`: steps in a row that saw nothing of the service. `passes`, `wrongs`: proofs in a row that passed,
    that were answered wrongly. `share`: percent of the traffic that what is new was last seen to
    have, proven before it gets more. `is_clearing`: what ran before is being cleared away. `checked`: the examination that is under way, where it takes
    several steps. `platform_back`: False
    where the platform did not say that undoing is done. `said`: why it ended as it did. `next_id`: the redeploy of
    the next stage. `etag` is the stored version's.
    """

    redeploy_id: str
    service: Service
    url: str
    change: Change
    reason: str
    created_at: datetime
    trigger: Trigger = Trigger.HTTP
    dry_run: bool = False
    asked_by: str = ""
    stages: tuple[str, ...] = ()
    previous_id: str = ""
    next_id: str = ""

    state: State = State.QUEUED
    task: Task = Task.SNAPSHOT
    step: int = 0
    task_since: datetime
    due_at: datetime
    tries: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    ended_at: datetime | None = None
    is_closed: bool = False

    snapshot: Snapshot | None = None
    digest_after: str | None = None
    refusals: tuple[Refusal, ...] = ()
    platform: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    passes: int = 0
    wrongs: int = 0
    looks: int = 0
    blind: int = 0
    share: int = 0
    is_clearing: bool = False
    checked: tuple[Check, ...] = ()
    platform_back: bool = True
    aborted: Abort | None = None
    said: str = ""
    steps: tuple[StepNote, ...] = ()
    etag: str = field(default="", compare=False)

    @property
    def marker(self) -> Marker:
        """What its effects are told by."""
        return Marker(redeploy_id=self.redeploy_id, at=self.created_at, change=self.change)

    @property
    def moved(self) -> Service:
        """What its mover moves: the service, but for the restart of one that names what it runs on.

        SDK v1 has no restart; the container group or the Deployment beneath has one.
        """
        beneath = kind_beneath(self.service.runs_on)
        if beneath is None or self.change.kind is not ChangeKind.RESTART:
            return self.service
        named = {"kind": beneath, "resource_id": self.service.runs_on, "runs_on": None}
        return self.service.model_copy(update=named)

    @property
    def subject(self) -> Subject:
        """The service, to be examined as it was declared when this was queued."""
        problem = "" if self.url else "its address was not known when this was queued"
        rules = service_checks(self.service)
        return Subject(service=self.service, rules=rules, url=self.url, problem=problem)

    @property
    def is_final(self) -> bool:
        """Whether its state will not change any more."""
        return self.state in FINAL

    @property
    def is_settled(self) -> bool:
        """Whether nobody can have it undone any more: what ran before is leaving, or it has ended."""
        return self.is_final or self.is_clearing

    @property
    def may_have_touched(self) -> bool:
        """Whether it may have done something to its service.

        Refused ones and dry runs did not, nor what was aborted before its change: else what was put
        back would be proven.
        """
        untouched = self.state is State.REFUSED or self.dry_run
        return not (untouched or (self.state is State.ABORTED and not self.proofs))

    def is_held(self, at: datetime) -> bool:
        """Whether a worker is at its present step."""
        return bool(self.owner) and self.lease_until is not None and at < self.lease_until

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as JSON, without its etag; times are ISO 8601."""
        dumped: dict[str, JsonValue] = _adapter().dump_python(
            self, mode="json", exclude={"etag"}, exclude_defaults=True
        )
        return dumped

    @classmethod
    def from_json(cls, document: Any) -> Redeploy:
        """Read what `to_json` wrote; raises ValueError for anything else."""
        return _adapter().validate_python(document)


@cache
def _adapter() -> TypeAdapter[Redeploy]:
    return TypeAdapter(Redeploy)
