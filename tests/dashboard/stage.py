"""A summary over storage in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.dashboard.health import HealthRequests
from shared.dashboard.summary import Summary, SummaryRequests
from shared.dashboard.timers import Timer
from shared.dashboard.uptimes import KnownUptimes, Uptimes
from shared.dashboard.vault_look import VaultLook
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
from tests.support.fake_storage import FakeRunHistory, FakeStorage

MINUTE = timedelta(minutes=1)
TIMERS = {
    "shutdown_timer": "0 */15 * * * *",
    "scoring_timer": "0 */5 * * * *",
    "redeploy_timer": "0 */5 * * * *",
}


@dataclass(kw_only=True)
class Vault:
    """Says when the credential expires, or fails; counts how often it was asked."""

    expires_at: datetime | None = NIGHT + timedelta(days=300)
    error: Exception | None = None
    asked: int = 0

    async def read(self) -> datetime | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.expires_at


@dataclass
class FakeQueues(FakeStorage):
    """Lengths by name."""

    lengths: dict[str, int] = field(default_factory=dict)

    async def length(self, queue: str) -> int:
        self._reach()
        return self.lengths.get(queue, 0)


@dataclass(kw_only=True)
class Overview:
    """What storage holds, if there is any (`stored`); `at` is now."""

    at: datetime = NIGHT
    seconds_unheard: float | None = 0.0
    stored: bool = True
    notes: FakeNotes = field(default_factory=FakeNotes)
    history: FakeRunHistory = field(default_factory=FakeRunHistory)
    states: FakeServiceStates = field(default_factory=FakeServiceStates)
    maintenance: FakeMaintenanceWindows = field(default_factory=FakeMaintenanceWindows)
    hours: FakeHourHistory = field(default_factory=FakeHourHistory)
    redeploys: FakeRedeploys = field(default_factory=FakeRedeploys)
    queues: FakeQueues = field(default_factory=FakeQueues)
    vault: Vault = field(default_factory=Vault)

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

    def __post_init__(self) -> None:
        self.look = VaultLook(read=self.vault.read)

    @property
    def timers(self) -> Sequence[Timer]:
        return [
            Timer(name=name, schedule=schedule, longest=4 * MINUTE)
            for name, schedule in TIMERS.items()
        ]

    @property
    def health(self) -> HealthRequests:
        return HealthRequests(
            notes=self.notes if self.stored else None,
            queues=self.queues if self.stored else None,
            vault=self.look,
            timers=self.timers,
            queues_of_work=("compute-shares", "scoring-redeploy-steps"),
            seconds_unheard=self.seconds_unheard,
            now=lambda: self.at,
        )

    @property
    def requests(self) -> SummaryRequests:
        shutdown, scoring, _ = self.timers
        records = Records(
            states=self.states, history=FakeCheckHistory(), maintenance=self.maintenance
        )
        return SummaryRequests(
            notes=self.notes,
            history=self.history,
            records=records,
            redeploys=self.redeploys,
            health=self.health,
            uptimes=Uptimes(hours=self.hours, known=KnownUptimes()),
            shutdown_timer=shutdown,
            scoring_timer=scoring,
            now=lambda: self.at,
        )

    async def summary(self) -> Summary:
        return await self.requests.summarise()
