"""Look at what holds around a service, for the gate: maintenance, redeploys of the day, the estate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.scoring.records import Records
from shared.scoring.redeploy.gate import DAY, Circumstances, Estate
from shared.scoring.redeploy.redeploys import Redeploys
from shared.scoring.service import Kind, Service
from shared.scoring.state import Health

# A service that was not checked for longer belongs to the estate no more.
_FORGOTTEN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Reads the circumstances. `movable` are the kinds that have a mover."""

    records: Records
    redeploys: Redeploys
    movable: Collection[Kind]

    async def of(self, service: Service, *, now: datetime) -> Circumstances:
        """Return what holds now. Raises StorageUnavailableError: nobody is let in unseen."""
        window = await self.records.maintenance.get(service.name)
        return Circumstances(
            now=now,
            has_mover=service.kind in self.movable,
            maintenance_until=window.until if window and window.holds(now) else None,
            recent=await self.redeploys.list_recent(service.name, since=now - DAY),
            estate=await self._estate(now),
        )

    async def _estate(self, now: datetime) -> Estate:
        states = (await self.records.states.load()).values()
        checked = [
            each for each in states if each.checked_at and now - each.checked_at < _FORGOTTEN_AFTER
        ]
        unhealthy = sum(each.health is Health.UNHEALTHY for each in checked)
        return Estate(services=len(checked), unhealthy=unhealthy)
