"""A summary over storage in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.dashboard.summary import Summary, SummaryRequests
from shared.dashboard.timers import Timer
from shared.dashboard.uptimes import KnownUptimes, Uptimes
from shared.notes import TickNote
from shared.scoring.maintenance import Maintenance
from shared.scoring.records import Records
from tests.support.builders import NIGHT
from tests.support.fake_notes import FakeNotes
from tests.support.fake_records import (
    FakeCheckHistory,
    FakeHourHistory,
    FakeMaintenanceWindows,
    FakeServiceStates,
)
from tests.support.fake_redeploys import FakeRedeploys
from tests.support.fake_storage import FakeRunHistory

MINUTE = timedelta(minutes=1)
TIMERS = ("shutdown_timer", "scoring_timer")


@dataclass(kw_only=True)
class Overview:
    """What storage holds; `at` is now."""

    at: datetime = NIGHT
    notes: FakeNotes = field(default_factory=FakeNotes)
    history: FakeRunHistory = field(default_factory=FakeRunHistory)
    states: FakeServiceStates = field(default_factory=FakeServiceStates)
    maintenance: FakeMaintenanceWindows = field(default_factory=FakeMaintenanceWindows)
    hours: FakeHourHistory = field(default_factory=FakeHourHistory)
    redeploys: FakeRedeploys = field(default_factory=FakeRedeploys)

    def tick(self, *timers: str, error: str | None = None) -> None:
        """Let timers have ticked a minute ago."""
        for timer in timers or TIMERS:
            ended_at = self.at - MINUTE
            note = TickNote(timer=timer, began_at=ended_at, ended_at=ended_at, error=error)
            self.notes.texts[f"tick.{timer}"] = note.model_dump_json()

    async def rest(self, service: str, *, until: datetime) -> None:
        """Have a service in maintenance."""
        opened = Maintenance(
            service=service, until=until, reason="work", opened_by="", opened_at=self.at - MINUTE
        )
        await self.maintenance.put(opened)

    @property
    def requests(self) -> SummaryRequests:
        shutdown, scoring = (
            Timer(name=name, schedule=schedule, longest=4 * MINUTE)
            for name, schedule in zip(TIMERS, ("0 */15 * * * *", "0 */5 * * * *"), strict=True)
        )
        records = Records(
            states=self.states, history=FakeCheckHistory(), maintenance=self.maintenance
        )
        return SummaryRequests(
            notes=self.notes,
            history=self.history,
            records=records,
            redeploys=self.redeploys,
            uptimes=Uptimes(hours=self.hours, known=KnownUptimes()),
            shutdown_timer=shutdown,
            scoring_timer=scoring,
            now=lambda: self.at,
        )

    async def summary(self) -> Summary:
        return await self.requests.summarise()
