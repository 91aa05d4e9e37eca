"""The summary that the dashboard draws from: every part by itself, so that one failure spares the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypeVar

from shared.callers import refuse_unknown
from shared.compute.history import RunHistory
from shared.dashboard.compute import RUNS, ComputePart, compute_part, unread_compute
from shared.dashboard.health import AppPart, HealthRequests, unread_app
from shared.dashboard.redeploys import (
    RECENT,
    RedeploysOfAll,
    RedeploysPart,
    redeploys_part,
    unread_redeploys,
)
from shared.dashboard.scoring import (
    Remembered,
    ScoringPart,
    round_of,
    scoring_part,
    unread_scoring,
    worst_names,
)
from shared.dashboard.status import Frozen, Severity, Status, Trouble, worst, worst_first
from shared.dashboard.timers import Timer
from shared.dashboard.uptimes import Uptimes
from shared.errors import OpsError
from shared.notes import UNEXPECTED, Notes
from shared.replies import Reply, json_reply
from shared.scoring.records import Records

logger = logging.getLogger(__name__)

Read = TypeVar("Read")
_CALLED: Final = {
    "app": "this app itself",
    "compute": "compute",
    "scoring": "scoring services",
    "redeploys": "redeploys",
}


class Summary(Frozen):
    """How everything is now. `status` is that of the worst part; `troubles` are all of them."""

    status: Status
    seen_at: datetime
    troubles: tuple[Trouble, ...]
    compute: ComputePart
    scoring: ScoringPart
    redeploys: RedeploysPart
    app: AppPart


@dataclass(frozen=True, kw_only=True)
class SummaryRequests:
    """Answers how everything is, from what was recorded; Azure is asked for nothing."""

    notes: Notes
    history: RunHistory
    records: Records
    redeploys: RedeploysOfAll
    uptimes: Uptimes
    health: HealthRequests
    shutdown_timer: Timer
    scoring_timer: Timer
    now: Callable[[], datetime]

    async def answer(self, query: Mapping[str, str]) -> Reply:
        """200, also where parts could not be read: they say so, and the whole is not `ok`."""
        refuse_unknown(query, known=())
        summary = await self.summarise()
        return json_reply(
            summary.model_dump_json(), status=HTTPStatus.OK, headers={"Cache-Control": "no-store"}
        )

    async def summarise(self) -> Summary:
        """Read all parts side by side."""
        at = self.now()
        compute, scoring, redeploys, app = await asyncio.gather(
            _or(self._compute(at), lambda error: unread_compute(error, at=at)),
            _or(self._scoring(at), lambda error: unread_scoring(error, at=at)),
            _or(self._redeploys(at), lambda error: unread_redeploys(error, at=at)),
            _or(self.health.part(), lambda error: unread_app(error, at=at)),
        )
        parts = {"app": app, "compute": compute, "scoring": scoring, "redeploys": redeploys}
        return Summary(
            status=worst(part.status for part in parts.values()),
            seen_at=at,
            troubles=worst_first(
                [
                    *(_unknown(name, part.error) for name, part in parts.items() if part.error),
                    *(each for part in parts.values() for each in part.troubles),
                ]
            ),
            compute=compute,
            scoring=scoring,
            redeploys=redeploys,
            app=app,
        )

    async def _compute(self, at: datetime) -> ComputePart:
        notes, page = await asyncio.gather(
            self.notes.list(), self.history.list_runs(page_size=RUNS)
        )
        return compute_part(self.shutdown_timer, notes, page.runs, at=at)

    async def _scoring(self, at: datetime) -> ScoringPart:
        notes, states, maintenance = await asyncio.gather(
            self.notes.list(), self.records.states.load(), self.records.maintenance.in_force(at)
        )
        last = round_of(notes)
        names = worst_names(last.services if last else (), states, at=at)
        remembered = Remembered(
            states=states, maintenance=maintenance, uptimes=await self.uptimes.read(names, at=at)
        )
        return scoring_part(self.scoring_timer, notes, remembered, at=at)

    async def _redeploys(self, at: datetime) -> RedeploysPart:
        active, recent = await asyncio.gather(
            self.redeploys.list_active(), self.redeploys.list_since(at - RECENT)
        )
        return redeploys_part(active, recent, at=at)


def _unknown(name: str, error: str) -> Trouble:
    return Trouble(
        severity=Severity.UNKNOWN, text=f"Nothing is known of {_CALLED[name]}.", reason=error
    )


async def _or(reading: Awaitable[Read], unread: Callable[[str], Read]) -> Read:
    """Return what was read, or the part that says why it was not: the others are shown all the same."""
    try:
        return await reading
    except OpsError as error:
        logger.warning("a part of the dashboard cannot be read: %s", error)
        return unread(str(error))
    except Exception:
        # The parts are independent of each other; what is wrong with one is in the log, with its trace.
        logger.exception("a part of the dashboard failed")
        return unread(UNEXPECTED)
