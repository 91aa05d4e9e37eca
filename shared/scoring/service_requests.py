"""Answer requests about services: how they are, maintenance, a badge. None of them probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.callers import claimant, refuse_unknown
from shared.errors import InvalidRequestError
from shared.notes import Notes
from shared.replies import Reply, json_reply
from shared.scoring.badge import MEDIA_TYPE, badge
from shared.scoring.examination import Subject
from shared.scoring.maintenance import Maintenance, parse_maintenance
from shared.scoring.records import CheckRow, Records
from shared.scoring.rolling import Rolling
from shared.scoring.roster import RosterSource
from shared.scoring.round_log import RoundsDue, recall, rounds_of
from shared.scoring.service_reports import (
    WINDOWS,
    Past,
    ServiceReport,
    detail_of,
    list_of,
    maintenance_of,
    report_of,
)
from shared.scoring.state import Health, ServiceState

# A page may show a badge again without asking for as long as a round lasts at least.
BADGE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class ServiceRequests:
    """Answers about services, from what rounds have recorded.

    `longest`: how far ahead a maintenance may end. `trusts_sign_in`: App Service authentication is
    on. Everything raises StorageUnavailableError (503) while the records cannot be read.
    """

    roster: RosterSource
    records: Records
    rolling: Rolling
    notes: Notes
    due: RoundsDue
    now: Callable[[], datetime]
    longest: timedelta
    trusts_sign_in: bool = False

    async def list(self, query: Mapping[str, str]) -> Reply:
        """200: all services, by name. Filters: `group`, `state`."""
        refuse_unknown(query, known=("group", "state"))
        state = _state(query)
        roster = await self.roster.load()
        states = await self.records.states.load()
        last = await recall(self.notes)
        now = self.now()
        resting = await self.records.maintenance.in_force(now)
        reports = [_report(each, states, resting, at=now) for each in roster.subjects]
        chosen = [
            each
            for each in sorted(reports, key=lambda each: each.name)
            if query.get("group", each.group) == each.group and state in {None, each.state}
        ]
        shown = list_of(roster, chosen, rounds=rounds_of(last, due=self.due, at=now))
        return json_reply(shown.model_dump_json(), status=HTTPStatus.OK)

    async def get(self, name: str, query: Mapping[str, str]) -> Reply:
        """200: one in full; 404."""
        refuse_unknown(query, known=())
        subject = await self.find(name)
        now = self.now()
        past = Past(
            state=await self.records.states.get(name),
            maintenance=await self._maintenance(name),
            rows=await self._rows(name, now),
            hours=await self.rolling.hours_of(name, at=now),
        )
        shown = detail_of(subject, past, at=now)
        return json_reply(shown.model_dump_json(), status=HTTPStatus.OK)

    async def put_maintenance(self, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """200: open until the moment in the body, in place of any other; 404, 400."""
        await self.find(name)
        opened = parse_maintenance(
            body,
            service=name,
            opened_by=claimant(headers, trusted=self.trusts_sign_in),
            now=self.now(),
            longest=self.longest,
        )
        await self.records.maintenance.put(opened)
        shown = maintenance_of(opened, at=self.now())
        return json_reply(shown.model_dump_json(), status=HTTPStatus.OK)

    async def delete_maintenance(self, name: str) -> Reply:
        """204, also if there is none; 404 for a service that is not there."""
        await self.find(name)
        await self.records.maintenance.delete(name)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def badge(self, name: str) -> Reply:
        """200: a picture; 404."""
        await self.find(name)
        state = await self.records.states.get(name)
        resting = await self._maintenance(name) is not None
        picture = badge(name, state, in_maintenance=resting, at=self.now())
        return Reply(
            status=HTTPStatus.OK,
            content_type=MEDIA_TYPE,
            body=picture,
            headers={"Cache-Control": f"max-age={BADGE_SECONDS}"},
        )

    async def find(self, name: str) -> Subject:
        """Return a service; raises InvalidRequestError (404) if nobody looks after one of the name.

        503 while a part of the estate cannot be read: it may be there.
        """
        roster = await self.roster.load()
        found = roster.find(name)
        if found is not None:
            return found
        raise InvalidRequestError(
            "name", f"there is no service {name[:63]}", status=HTTPStatus.NOT_FOUND
        )

    async def _maintenance(self, name: str) -> Maintenance | None:
        found = await self.records.maintenance.get(name)
        return found if found and found.holds(self.now()) else None

    async def _rows(self, name: str, now: datetime) -> Sequence[CheckRow]:
        since = now - WINDOWS["24h"]
        return await self.records.history.list_checks(
            name, since=since, until=now + timedelta(seconds=1)
        )


def _state(query: Mapping[str, str]) -> Health | None:
    if "state" not in query:
        return None
    try:
        return Health(query["state"])
    except ValueError:
        raise InvalidRequestError("state", f"must be one of {', '.join(Health)}") from None


def _report(
    subject: Subject,
    states: Mapping[str, ServiceState],
    resting: Mapping[str, datetime],
    *,
    at: datetime,
) -> ServiceReport:
    name = subject.service.name
    state = states.get(name, ServiceState())
    return report_of(subject, state, maintenance_until=resting.get(name), at=at)
