"""What outlives a round: the state of every service, and what each round thought of it.

The ports that health checks need from storage; `shared.clients.service_records` provides them on
Azure Tables. Every method raises StorageUnavailableError when the storage cannot be reached: checks
go on without it, and say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.scoring.judgement import Verdict
from shared.scoring.maintenance import Maintenance
from shared.scoring.state import ServiceState
from shared.scoring.uptime import RollUp


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
        """Return the states by the services' names; one that cannot be read knows nothing."""

    async def get(self, service: str) -> ServiceState:
        """Return one service's; one that is not there, or cannot be read, knows nothing."""

    async def save(self, states: Mapping[str, ServiceState]) -> Collection[str]:
        """Store these, each over the version that it grew from: its `etag`, "" where there is none.

        Returns whose were not stored: others have changed them, or one that goes with them.
        """

    async def forget(self, service: str) -> None:
        """Delete one service's; there may be none."""


class CheckHistory(Protocol):
    """The rows of rounds, kept for a day."""

    async def append(self, rows: Sequence[CheckRow]) -> None:
        """Store rows; a service has at most one of a moment."""

    async def list_checks(
        self, service: str, *, since: datetime, until: datetime
    ) -> Sequence[CheckRow]:
        """List a service's rows of [since, until), newest first."""

    async def rows_of(self, hour: datetime) -> Sequence[CheckRow]:
        """List all rows of an hour, by service and time."""

    async def forget(self, hour: datetime) -> None:
        """Delete the rows of an hour."""


class HourHistory(Protocol):
    """The hours that rows are rolled up to, kept for a month."""

    async def rolled_until(self) -> datetime | None:
        """Return the first hour that is not rolled up, None if none ever was."""

    async def save_hour(self, hour: datetime, rolled: Mapping[str, RollUp]) -> None:
        """Store an hour's roll-ups by service, then that it is rolled up."""

    async def list_hours(self, service: str, *, since: datetime) -> Sequence[RollUp]:
        """List a service's hours from a moment on, oldest first."""

    async def forget_hours(self, services: Collection[str], *, before: datetime) -> None:
        """Delete the hours of services that ended before a moment."""


class MaintenanceWindows(Protocol):
    """When services are being worked on, and their changes alert nobody."""

    async def in_force(self, at: datetime) -> Mapping[str, datetime]:
        """Return until when, by the services' names, for those in maintenance at a moment."""

    async def get(self, service: str) -> Maintenance | None:
        """Return a service's last one, also one that has ended."""

    async def put(self, maintenance: Maintenance) -> None:
        """Open one, in place of any other of the service."""

    async def delete(self, service: str) -> None:
        """End it; there may be none."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """All that a round reads and writes."""

    states: ServiceStates
    history: CheckHistory
    maintenance: MaintenanceWindows
