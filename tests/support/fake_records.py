"""What health checks remember, in memory: passes the same contract suite as the clients of Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.scoring.records import CheckRow
from shared.scoring.state import ServiceState
from tests.support.fake_storage import FakeStorage


@dataclass
class FakeServiceStates(FakeStorage):
    """States by the services' names."""

    states: dict[str, ServiceState] = field(default_factory=dict)

    async def load(self) -> Mapping[str, ServiceState]:
        self._reach()
        return dict(self.states)

    async def save(self, states: Mapping[str, ServiceState]) -> None:
        self._reach()
        self.states.update(states)


@dataclass
class FakeCheckHistory(FakeStorage):
    """Rows by service and moment."""

    rows: dict[tuple[str, datetime], CheckRow] = field(default_factory=dict)

    async def append(self, rows: Sequence[CheckRow]) -> None:
        self._reach()
        self.rows.update({(row.service, row.at): row for row in rows})

    async def list_checks(
        self, service: str, *, since: datetime, until: datetime
    ) -> Sequence[CheckRow]:
        self._reach()
        chosen = [
            row for row in self.rows.values() if row.service == service and since <= row.at < until
        ]
        return sorted(chosen, key=lambda row: row.at, reverse=True)


@dataclass
class FakeMaintenanceWindows(FakeStorage):
    """Until when, by the services' names."""

    windows: dict[str, datetime] = field(default_factory=dict)

    async def in_force(self, at: datetime) -> Mapping[str, datetime]:
        self._reach()
        return {name: until for name, until in self.windows.items() if at < until}
