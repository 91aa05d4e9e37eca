"""What the app tells its operators: events, metrics, spans, and who is speaking.

Names are constants with documented properties, so that queries, alerts and code cannot drift
apart. Nothing here knows Application Insights; shared.clients.app_insights sends the records.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from shared.metrics import Metric

Property = str | int | float | bool


class Event(StrEnum):
    """Custom events. The values are a contract: dashboards and alerts filter on them."""

    COMPUTE_RUN_STARTED = "compute.run.started"
    COMPUTE_RUN_FINISHED = "compute.run.finished"
    COMPUTE_INSTANCE_DECIDED = "compute.instance.decided"
    COMPUTE_INSTANCE_STOP_REQUESTED = "compute.instance.stop_requested"
    COMPUTE_INSTANCE_OUTCOME = "compute.instance.outcome"
    COMPUTE_WORKSPACE_UNREADABLE = "compute.workspace.unreadable"
    COMPUTE_TAG_MISCONFIGURED = "compute.tag.misconfigured"
    COMPUTE_JOB_OVERDUE = "compute.job.overdue"
    COMPUTE_CLUSTER_OUTCOME = "compute.cluster.outcome"
    COMPUTE_IDLE_SHUTDOWN_SET = "compute.idle_shutdown.set"
    CREDENTIAL_EXPIRING = "credential.expiring"
    CREDENTIAL_REFRESHED = "credential.refreshed"
    HISTORY_LOST = "history.lost"
    SCORING_SERVICE_CHANGED = "scoring.service.changed"
    SCORING_SERVICE_FORGOTTEN = "scoring.service.forgotten"
    SCORING_ROUND_FINISHED = "scoring.round.finished"
    SCORING_ESTATE_UNREACHABLE = "scoring.estate.unreachable"
    SCORING_CONFIG_REJECTED = "scoring.config.rejected"
    SCORING_REDEPLOY_STEP = "scoring.redeploy.step"
    SCORING_REDEPLOY_FINISHED = "scoring.redeploy.finished"
    SCORING_HEALING_GAVE_UP = "scoring.healing.gave_up"


_INSTANCE: Final = frozenset(
    {"instance_id", "instance", "owner", "vm_size", "price_per_hour", "currency"}
)

_SERVICE: Final = frozenset({"service", "group", "owner", "kind"})

_REDEPLOY: Final = _SERVICE | {"redeploy_id", "state", "change", "dry_run"}

PROPERTIES: Final[Mapping[Event, frozenset[str]]] = MappingProxyType(
    {
        Event.COMPUTE_RUN_STARTED: frozenset(
            {"trigger", "dry_run", "reason", "deadline_seconds", "past_due"}
        ),
        Event.COMPUTE_RUN_FINISHED: frozenset(
            {"trigger", "dry_run", "reason", "result", "error", "seconds"}
            | {"seen", "stopped", "left", "failed", "unresolved"}
            | {"saved_per_hour", "currency"}
        ),
        Event.COMPUTE_INSTANCE_DECIDED: _INSTANCE
        | {"state_before", "decision", "reason", "reason_text"},
        Event.COMPUTE_INSTANCE_STOP_REQUESTED: _INSTANCE | {"state_before", "reason"},
        Event.COMPUTE_INSTANCE_OUTCOME: _INSTANCE
        | {"state_before", "state_after", "decision", "reason"}
        | {"outcome", "detail", "seconds", "seen_at"},
        Event.COMPUTE_WORKSPACE_UNREADABLE: frozenset(
            {"scope_id", "status", "error_code", "error"}
        ),
        Event.COMPUTE_TAG_MISCONFIGURED: frozenset({"resource_id", "tag", "value", "problem"}),
        Event.COMPUTE_JOB_OVERDUE: _INSTANCE | {"decision", "reason_text"},
        Event.COMPUTE_CLUSTER_OUTCOME: frozenset(
            {"cluster_id", "cluster", "vm_size", "minimum_before", "minimum_after"}
            | {"decision", "reason", "outcome", "detail"}
        ),
        Event.COMPUTE_IDLE_SHUTDOWN_SET: frozenset(
            {"instance_id", "instance", "idle_time_before", "idle_time_after"}
            | {"outcome", "detail", "reason", "dry_run"}
        ),
        Event.CREDENTIAL_EXPIRING: frozenset({"vault_secret", "kind", "expires_at", "days_left"}),
        Event.CREDENTIAL_REFRESHED: frozenset({"vault_secret", "kind", "expires_at"}),
        Event.HISTORY_LOST: frozenset({"operation", "error"}),
        Event.SCORING_SERVICE_CHANGED: _SERVICE
        | {"state_before", "state_after", "standing", "alerts", "in_maintenance"}
        | {"verdict", "evidence", "text"},
        Event.SCORING_SERVICE_FORGOTTEN: frozenset({"service", "seen_at", "text"}),
        Event.SCORING_ROUND_FINISHED: frozenset(
            {"trigger", "result", "error", "seconds", "past_due"}
            | {"services", "good", "neutral", "failed", "unchecked"}
        ),
        Event.SCORING_ESTATE_UNREACHABLE: frozenset({"services", "failed", "text"}),
        Event.SCORING_CONFIG_REJECTED: frozenset(
            {"source", "problems", "first_problem", "in_force_since"}
        ),
        Event.SCORING_REDEPLOY_STEP: _REDEPLOY | {"step", "task", "text"},
        Event.SCORING_REDEPLOY_FINISHED: _REDEPLOY
        | {"target", "trigger", "reason", "text", "seconds", "digest_before", "digest_after"},
        Event.SCORING_HEALING_GAVE_UP: _SERVICE | {"redeploy_id", "verdict", "evidence", "text"},
    }
)
"""What each event says: exactly these properties; one that is not known is passed as None.

Bound properties are stamped by the sender and not listed here: ``run_id``; in a share of a run also
``share_id`` and ``attempt``, which counts the workers that took it up.

- ``price_per_hour``, ``saved_per_hour``: money per hour in ``currency`` (ISO 4217).
- ``seconds``: a duration. ``seen_at``, ``expires_at``: ISO 8601, UTC, with ``Z``.
- ``scope_id``: the ARM id of the workspace or subscription that could not be read; ``status``
  its HTTP status, ``error_code`` Azure's code.
- ``minimum_before``, ``minimum_after``: a cluster's minNodeCount. ``idle_time_...``: ISO 8601
  durations before a native idle shutdown.
- ``vault_secret``: a secret's name in Key Vault; ``kind``: secret or certificate, of a service
  what runs it.
- ``standing``: what a service is to be called now; ``alerts``: people are to be told.
- ``change``: restart, image or model, ``target`` which image or model; ``task``: what a step did.
- ``good``, ``neutral``, ``failed``, ``unchecked``: numbers of services in a round.
"""

AVAILABILITY_PROPERTIES: Final = frozenset({"group", "owner", "kind", "verdict", "evidence"})
"""What an availability result says beside its own columns."""


class Span(StrEnum):
    """Spans of a shutdown: the run, one workspace in it, one stop in that."""

    COMPUTE_RUN = "compute.run"
    COMPUTE_WORKSPACE = "compute.workspace"
    COMPUTE_STOP = "compute.stop"


@dataclass(frozen=True, kw_only=True)
class AvailabilityResult:
    """One result of an availability test, a row of `availabilityResults`.

    `name` is the test's: the service. `succeeded` is what the Availability blade counts; a busy or
    slow service has not failed. `location` is where it was checked from.
    """

    name: str
    succeeded: bool
    seconds: float
    location: str
    message: str


class Telemetry(Protocol):
    """Where records go. No method raises for reasons of its own, whatever the network does."""

    def event(self, name: Event, /, **properties: Property | None) -> None:
        """Record that something happened; properties that are None are dropped."""

    def availability(self, result: AvailabilityResult, /, **properties: Property | None) -> None:
        """Record one result of an availability test; properties as AVAILABILITY_PROPERTIES."""

    def measure(self, name: Metric, value: float, /, **attributes: Property) -> None:
        """Add a value, in the unit of INSTRUMENTS; attributes are few and of few values."""

    def span(self, name: str, /, **attributes: Property) -> AbstractContextManager[None]:
        """Time a piece of work; an exception that leaves it marks it as failed and goes on."""

    def seconds_unheard(self) -> float | None:
        """Return for how long nothing of what was sent has been taken: 0 while all is; None: nobody listens."""

    async def flush(self) -> bool:
        """Send what is buffered; at most 5 s. Whether all events of this operation were taken by then."""


class NullTelemetry:
    """Telemetry of an app without Application Insights: says nothing, costs nothing."""

    def event(self, name: Event, /, **properties: Property | None) -> None:
        """Do nothing."""

    def availability(self, result: AvailabilityResult, /, **properties: Property | None) -> None:
        """Do nothing."""

    def measure(self, name: Metric, value: float, /, **attributes: Property) -> None:
        """Do nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002  # the protocol's argument
        /,
        **attributes: Property,  # noqa: ARG002  # the protocol's argument
    ) -> AbstractContextManager[None]:
        """Do nothing around the work."""
        return nullcontext()

    def seconds_unheard(self) -> float | None:
        """Nobody listens."""
        return None

    async def flush(self) -> bool:
        """Do nothing."""
        return True


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One invocation of a function: its name, and the host's W3C traceparent if it sent one.

    `began` is in seconds of `time.monotonic`.
    """

    name: str
    trace_parent: str | None = None
    began: float = field(default_factory=monotonic, compare=False)


_operation: ContextVar[Operation | None] = ContextVar("operation", default=None)
_bound: ContextVar[Mapping[str, Property] | None] = ContextVar("bound", default=None)


@contextmanager
def operation(name: str, *, trace_parent: str | None = None) -> Iterator[None]:
    """Speak as one function: its name becomes operation_Name of every record inside.

    ``trace_parent`` is ``context.trace_context.trace_parent`` of azure.functions, the host's own
    span: the parent of what is recorded where no span is current.
    """
    token = _operation.set(Operation(name=name, trace_parent=trace_parent or None))
    try:
        yield
    finally:
        _operation.reset(token)


@contextmanager
def bound(**properties: Property) -> Iterator[None]:
    """Stamp every event, span, metric and log record inside with these properties (run_id)."""
    token = _bound.set(MappingProxyType({**current(), **properties}))
    try:
        yield
    finally:
        _bound.reset(token)


def current() -> Mapping[str, Property]:
    """Return the properties bound here."""
    return _bound.get() or MappingProxyType({})


def current_operation() -> Operation | None:
    """Return the operation that is speaking here, if any."""
    return _operation.get()
