"""What outlives a round: the state of every service, and what each round thought of it.

The ports that health checks need from storage; `shared.clients.service_records` provides them on
Azure Tables. Every method raises StorageUnavailableError when the storage cannot be reached: checks
go on without it, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.scoring.judgement import Verdict
from shared.scoring.state import ServiceState


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """What one round thought of one service. `seconds`: the slowest golden answer, if any came."""

    service: str
    at: datetime
    verdict: Verdict
    evidence: str
    text: str
    seconds: float | None = None
    in_maintenance: bool = False


class ServiceStates(Protocol):
    """What is remembered of services between rounds."""

    async def load(self) -> Mapping[str, ServiceState]:
        """Return the states by the services' names; one that cannot be read is left out."""

    async def save(self, states: Mapping[str, ServiceState]) -> None:
        """Store these; the others stay as they are."""


class CheckHistory(Protocol):
    """The rows of rounds, kept for a day."""

    async def append(self, rows: Sequence[CheckRow]) -> None:
        """Store rows; a service has at most one of a moment."""

    async def list_checks(
        self, service: str, *, since: datetime, until: datetime
    ) -> Sequence[CheckRow]:
        """List a service's rows of [since, until), newest first."""


class MaintenanceWindows(Protocol):
    """When services are being worked on, and their changes alert nobody."""

    async def in_force(self, at: datetime) -> Mapping[str, datetime]:
        """Return until when, by the services' names, for those in maintenance at a moment."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """All that a round reads and writes."""

    states: ServiceStates
    history: CheckHistory
    maintenance: MaintenanceWindows
