"""The tick of health checks: who is looked after, a round over them, hours rolled up, all of it told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from shared.errors import RunNotSucceededError, StorageUnavailableError
from shared.notes import SCORING_SEEN, Notes, leave
from shared.scoring.forgetting import Forgetting
from shared.scoring.health import HealthRounds
from shared.scoring.narration import (
    RoundResult,
    result_of,
    tell_round,
    tell_services,
    what_went_wrong,
)
from shared.scoring.rolling import Rolling
from shared.scoring.roster import Roster, RosterSource
from shared.scoring.round_log import record
from shared.scoring.round_report import RoundReport
from shared.scoring.round_sighting import sight_round
from shared.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class ScheduledChecks:
    """The use case of scoring_timer. `location`: where services are checked from."""

    roster: RosterSource
    rounds: HealthRounds
    rolling: Rolling
    forgetting: Forgetting
    notes: Notes
    telemetry: Telemetry
    location: str

    async def tick(self, *, time_limit: timedelta, past_due: bool | None = None) -> RoundReport:
        """Check everyone once.

        Raises RunNotSucceededError where the round could not do its own work in full; a service
        that fails is no such thing.
        """
        roster = await self.roster.load()
        report = await self.rounds.run(
            roster.subjects, time_limit=time_limit, tell=self._tell_services
        )
        lost = [*report.lost, *await self._roll(roster, report)]
        report = await self._log(replace(report, amiss=roster.problems, lost=lost))
        tell_round(self.telemetry, report, trigger="timer", past_due=past_due)
        await leave(self.notes, SCORING_SEEN, sight_round(roster, report))
        result = result_of(report)
        if result is not RoundResult.SUCCEEDED:
            raise RunNotSucceededError(f"health checks {result}: {what_went_wrong(report)}")
        return report

    async def _log(self, report: RoundReport) -> RoundReport:
        """Record how the round went, for those who read what it found."""
        try:
            await record(self.notes, report)
        except StorageUnavailableError as error:
            lost = f"how the round went could not be recorded: {error}"
            return replace(report, lost=[*report.lost, lost])
        return report

    async def _tell_services(self, report: RoundReport) -> bool:
        tell_services(self.telemetry, report, location=self.location)
        # Else it would wait in this worker, and be lost with it.
        return not any(each.alerts for each in report.services) or await self.telemetry.flush()

    async def _roll(self, roster: Roster, report: RoundReport) -> list[str]:
        names = [each.service.name for each in roster.subjects]
        try:
            has_rolled = await self.rolling.roll(names, at=report.ended_at)
            # Who is missing from a list with gaps may be looked after all the same.
            if has_rolled and not roster.problems:
                await self.forgetting.forget(names, at=report.ended_at)
        except StorageUnavailableError as error:
            return [f"hours could not be rolled up, or services not be forgotten: {error}"]
        return []
