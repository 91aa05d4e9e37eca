"""What health checks remember, in memory: passes the same contract suite as the clients of Azure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.scoring.maintenance import Maintenance
from shared.scoring.records import CheckRow
from shared.scoring.state import ServiceState
from shared.scoring.uptime import RollUp
from tests.support.fake_storage import FakeStorage

HOUR = timedelta(hours=1)


@dataclass
class FakeServiceStates(FakeStorage):
    """States by the services' names; the etag of one is what it holds."""

    states: dict[str, ServiceState] = field(default_factory=dict)

    async def load(self) -> Mapping[str, ServiceState]:
        self._reach()
        return {name: replace(each, etag=_etag(each)) for name, each in self.states.items()}

    async def get(self, service: str) -> ServiceState:
        return (await self.load()).get(service, ServiceState())

    async def save(self, states: Mapping[str, ServiceState]) -> Collection[str]:
        self._reach()
        left = [name for name, each in states.items() if each.etag != self._etag_of(name)]
        self.states.update({name: each for name, each in states.items() if name not in left})
        return left

    def _etag_of(self, service: str) -> str:
        return _etag(self.states[service]) if service in self.states else ""

    async def forget(self, service: str) -> None:
        self._reach()
        self.states.pop(service, None)


def _etag(state: ServiceState) -> str:
    return f"{hash(state):x}"


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

    async def rows_of(self, hour: datetime) -> Sequence[CheckRow]:
        self._reach()
        chosen = [row for row in self.rows.values() if hour <= row.at < hour + HOUR]
        return sorted(chosen, key=lambda row: (row.service, row.at))

    async def forget(self, hour: datetime) -> None:
        for row in await self.rows_of(hour):
            del self.rows[row.service, row.at]


@dataclass
class FakeHourHistory(FakeStorage):
    """Roll-ups by service and hour."""

    hours: dict[tuple[str, datetime], RollUp] = field(default_factory=dict)
    until: datetime | None = None

    async def rolled_until(self) -> datetime | None:
        self._reach()
        return self.until

    async def save_hour(self, hour: datetime, rolled: Mapping[str, RollUp]) -> None:
        self._reach()
        self.hours.update({(name, hour): each for name, each in rolled.items()})
        self.until = hour + HOUR

    async def list_hours(self, service: str, *, since: datetime) -> Sequence[RollUp]:
        self._reach()
        begin = since.replace(minute=0, second=0, microsecond=0)
        found = [(hour, each) for (name, hour), each in self.hours.items() if name == service]
        return [each for hour, each in sorted(found, key=lambda pair: pair[0]) if hour >= begin]

    async def forget_hours(self, services: Collection[str], *, before: datetime) -> None:
        self._reach()
        for name, hour in list(self.hours):
            if name in services and hour < before.replace(minute=0, second=0, microsecond=0):
                del self.hours[name, hour]


@dataclass
class FakeMaintenanceWindows(FakeStorage):
    """The last one of each service."""

    windows: dict[str, Maintenance] = field(default_factory=dict)

    async def in_force(self, at: datetime) -> Mapping[str, datetime]:
        self._reach()
        return {name: each.until for name, each in self.windows.items() if each.holds(at)}

    async def get(self, service: str) -> Maintenance | None:
        self._reach()
        return self.windows.get(service)

    async def put(self, maintenance: Maintenance) -> None:
        self._reach()
        self.windows[maintenance.service] = maintenance

    async def delete(self, service: str) -> None:
        self._reach()
        self.windows.pop(service, None)
