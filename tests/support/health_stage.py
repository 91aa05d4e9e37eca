"""Rounds of health checks in virtual time: services by script, records in memory."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.scoring.attempts import Examiner
from shared.scoring.azure_word import AzureWords
from shared.scoring.examination import Subject
from shared.scoring.health import HealthRounds
from shared.scoring.maintenance import Maintenance
from shared.scoring.platform_evidence import Platform
from shared.scoring.probe import Contact
from shared.scoring.records import Records
from shared.scoring.round_report import Checked, RoundReport
from tests.support.builders import NIGHT
from tests.support.fake_credentials import FakeCredentials
from tests.support.fake_prober import FakeProber
from tests.support.fake_records import (
    FakeCheckHistory,
    FakeMaintenanceWindows,
    FakeServiceStates,
)
from tests.support.scoring_builders import RIGHT, a_subject
from tests.support.scripted import Asked, Behaviour, Scripted, always

# A round takes no longer than ROUND, and the next one begins EVERY so often.
ROUND = timedelta(minutes=4)
EVERY = timedelta(minutes=5)
DEAD = always(contact=Contact.REFUSED)


def healthy(asked: Asked) -> Scripted:
    """A weight service that is as it should be."""
    return Scripted(body=RIGHT if asked.target.startswith("/weight") else b"{}")


def virtual_now() -> datetime:
    """The night, as far as the clock of the loop has gone."""
    return NIGHT + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass(kw_only=True)
class HealthStage:
    """`services` by name, each at an origin of its own, `http://name.test`."""

    prober: FakeProber = field(default_factory=lambda: FakeProber(now=virtual_now))
    credentials: FakeCredentials = field(default_factory=FakeCredentials)
    states: FakeServiceStates = field(default_factory=FakeServiceStates)
    history: FakeCheckHistory = field(default_factory=FakeCheckHistory)
    maintenance: FakeMaintenanceWindows = field(default_factory=FakeMaintenanceWindows)
    platform: Platform | None = None
    azure: AzureWords | None = None
    subjects: list[Subject] = field(default_factory=list)
    _rounds: HealthRounds | None = None

    def serve(self, name: str, behaviour: Behaviour, **changes: object) -> None:
        """Let a service behave so, from now on."""
        self.prober.services[f"http://{name}.test"] = behaviour
        if name not in {each.service.name for each in self.subjects}:
            self.subjects.append(a_subject(name, **changes))  # type: ignore[arg-type]  # as it takes

    def rest(self, name: str, *, until: datetime) -> None:
        """Have a service in maintenance."""
        self.maintenance.windows[name] = Maintenance(
            service=name, until=until, reason="a new model", opened_by="", opened_at=NIGHT
        )

    @property
    def rounds(self) -> HealthRounds:
        """The use case as one worker keeps it."""
        if self._rounds is None:
            self._rounds = HealthRounds(examiner=self.examiner(), records=self.records)
        return self._rounds

    def examiner(self) -> Examiner:
        return Examiner(
            prober=self.prober,
            credentials=self.credentials,
            now=virtual_now,
            platform=self.platform,
            azure=self.azure,
        )

    @property
    def records(self) -> Records:
        return Records(states=self.states, history=self.history, maintenance=self.maintenance)

    async def round(self, *, time_limit: timedelta = ROUND) -> RoundReport:
        return await self.rounds.run(self.subjects, time_limit=time_limit)


def the(report: RoundReport, name: str) -> Checked:
    """One service of a report."""
    return next(each for each in report.services if each.name == name)
