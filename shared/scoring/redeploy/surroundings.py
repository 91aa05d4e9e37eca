"""Look at what holds around a service, for the gate: maintenance, redeploys of the day, the estate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.scoring.records import Records
from shared.scoring.redeploy.gate import DAY, Circumstances, Estate
from shared.scoring.redeploy.record import Redeploy, Trigger
from shared.scoring.redeploy.redeploys import Redeploys
from shared.scoring.service import Kind
from shared.scoring.state import Health, ServiceState

# A service that was not checked for longer belongs to the estate no more.
_FORGOTTEN_AFTER: Final = timedelta(hours=1)
# What fell ill longer before has another cause: a relic says nothing about today.
_TOGETHER: Final = DAY
_BY_PEOPLE: Final = frozenset({Trigger.HTTP, Trigger.PROMOTION})


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Reads the circumstances. `movable` are the kinds that have a mover."""

    records: Records
    redeploys: Redeploys
    movable: Collection[Kind]

    async def of(self, redeploy: Redeploy, *, now: datetime) -> Circumstances:
        """Return what holds now. Raises StorageUnavailableError: nobody is let in unseen."""
        service = redeploy.service
        window = await self.records.maintenance.get(service.name)
        return Circumstances(
            now=now,
            has_mover=service.kind in self.movable,
            maintenance_until=window.until if window and window.holds(now) else None,
            recent=await self.redeploys.list_recent(service.name, since=now - DAY),
            estate=estate_around(redeploy, await self.records.states.load(), now=now),
        )


def estate_around(
    redeploy: Redeploy, states: Mapping[str, ServiceState], *, now: datetime
) -> Estate:
    """Return the estate without those that were unhealthy long before. Pure.

    What the app begins by itself is held against what fell when its service did: a dead estate stays
    one, however long it is dead. People may mend what they know for a day.
    """
    asked = states.get(redeploy.service.name, ServiceState())
    is_anchor = asked.health is Health.UNHEALTHY and redeploy.trigger not in _BY_PEOPLE
    fell_at = (asked.since if is_anchor else None) or now
    counted = [
        each
        for each in states.values()
        if each.checked_at
        and now - each.checked_at < _FORGOTTEN_AFTER
        and not _is_relic(each, fell_at - _TOGETHER)
    ]
    unhealthy = sum(each.health is Health.UNHEALTHY for each in counted)
    return Estate(services=len(counted), unhealthy=unhealthy)


def _is_relic(state: ServiceState, before: datetime) -> bool:
    return state.health is Health.UNHEALTHY and state.since is not None and state.since < before
