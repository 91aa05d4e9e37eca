"""What a round of health checks came to, in short: for whoever watches, between two rounds."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.scoring.narration import RoundResult, result_of
from shared.scoring.roster import Roster
from shared.scoring.round_report import RoundReport
from shared.scoring.service import Kind
from shared.shortening import shortened, without_scopes

# Names and groups compress well; what is said about trouble may not.
MOST_SERVICES: Final = 5000
MOST: Final = 50
MOST_CHARACTERS: Final = 400


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class LookedAfter(_Frozen):
    """A service that the round was over."""

    name: str
    group: str
    kind: Kind
    owner: str | None


class NotChecked(_Frozen):
    """A service of which the round can say nothing, and why."""

    name: str
    reason: str


class RoundSighting(_Frozen):
    """One round. `problems`: what it could not do, or could not see, a sentence each."""

    started_at: datetime
    ended_at: datetime
    result: RoundResult
    services: tuple[LookedAfter, ...]
    unchecked: tuple[NotChecked, ...]
    problems: tuple[str, ...]


def sight_round(roster: Roster, report: RoundReport) -> RoundSighting:
    """Return a round in short."""
    services = [each.service for each in roster.subjects[:MOST_SERVICES]]
    problems = (report.outage, *report.lost, *report.amiss)
    return RoundSighting(
        started_at=report.started_at,
        ended_at=report.ended_at,
        result=result_of(report),
        services=tuple(
            LookedAfter(name=each.name, group=each.group, kind=each.kind, owner=each.owner)
            for each in services
        ),
        unchecked=tuple(
            NotChecked(name=each.name, reason=_short(each.reason))
            for each in report.unchecked[:MOST]
        ),
        problems=tuple(_short(each) for each in problems if each)[:MOST],
    )


def _short(text: str) -> str:
    return shortened(without_scopes(text), MOST_CHARACTERS)
