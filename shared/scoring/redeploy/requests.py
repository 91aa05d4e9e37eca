"""Answer requests about redeploys: begin one, show one, abort one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.callers import claimant, refuse_unknown
from shared.errors import InvalidRequestError
from shared.replies import Reply, json_reply, problem
from shared.scoring.examination import Subject
from shared.scoring.redeploy.opening import InProgress, Occasion, Opening, TooOften
from shared.scoring.redeploy.order import RedeployOrder, parse_redeploy
from shared.scoring.redeploy.record import Abort, Redeploy, Trigger
from shared.scoring.redeploy.report import RedeployList, location_of, report_of

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LISTED = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class RedeployRequests:
    """Answers about redeploys. `find` returns a service by name, None if nobody looks after one.

    Everything raises StorageUnavailableError (503) while records or queue cannot be reached.
    """

    opening: Opening
    find: Callable[[str], Awaitable[Subject | None]]
    now: Callable[[], datetime]
    trusts_sign_in: bool = False

    async def post(self, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """202 with `Location`; 404; 400; 409 with the other's `Location`; 429 with `Retry-After`."""
        subject = await self._subject(name)
        order = parse_redeploy(body, service=subject.service.name)
        await self._check_stages(order)
        asked_by = claimant(headers, trusted=self.trusts_sign_in)
        occasion = Occasion(trigger=Trigger.HTTP, asked_by=asked_by)
        return _opened(await self.opening.open(subject, order, occasion))

    async def list(self, name: str, query: Mapping[str, str]) -> Reply:
        """200: a service's redeploys of the last 30 days, newest first; 404."""
        refuse_unknown(query, known=())
        subject = await self._subject(name)
        found = await self.opening.redeploys.list_recent(
            subject.service.name, since=self.now() - LISTED
        )
        newest_first = tuple(report_of(each) for each in reversed(found))
        listed = RedeployList(redeploys=newest_first)
        return json_reply(listed.model_dump_json(), status=HTTPStatus.OK)

    async def get(self, redeploy_id: str) -> Reply:
        """200: how far it is, and all that was seen; 404."""
        redeploy = await self._redeploy(redeploy_id)
        aborting = await self.opening.redeploys.abort_of(redeploy.redeploy_id) is not None
        return _shown(redeploy, aborting=aborting and not redeploy.is_settled, status=HTTPStatus.OK)

    async def abort(self, redeploy_id: str, headers: Mapping[str, str]) -> Reply:
        """202: its next step undoes it, also if it was aborted before; 404; 409 once it cannot be undone."""
        redeploy = await self._redeploy(redeploy_id)
        if redeploy.is_settled:
            said = f"it has ended: {redeploy.state}"
            if not redeploy.is_final:
                said = "it is proven, and what ran before is being deleted"
            raise InvalidRequestError("redeploy_id", said, status=HTTPStatus.CONFLICT)
        by = claimant(headers, trusted=self.trusts_sign_in)
        abort = Abort(by=by, at=self.now())
        await self.opening.redeploys.ask_abort(redeploy.redeploy_id, abort)
        # The step that is due is done now; its own message then comes too late, and is dropped.
        await self.opening.queue.send(redeploy.redeploy_id, redeploy.step, delay=timedelta(0))
        return _shown(redeploy, aborting=True, status=HTTPStatus.ACCEPTED)

    async def _subject(self, name: str) -> Subject:
        found = await self.find(name)
        if found is None:
            said = f"there is no service {name[:63]}"
            raise InvalidRequestError("name", said, status=HTTPStatus.NOT_FOUND)
        return found

    async def _check_stages(self, order: RedeployOrder) -> None:
        for place, name in enumerate(order.stages):
            if await self.find(name) is None:
                raise InvalidRequestError(f"stages[{place}]", f"there is no service {name}")

    async def _redeploy(self, redeploy_id: str) -> Redeploy:
        known = _ID.fullmatch(redeploy_id)
        found = await self.opening.redeploys.get(redeploy_id) if known else None
        if found is None:
            said = f"there is no redeploy {redeploy_id[:36]}"
            raise InvalidRequestError("redeploy_id", said, status=HTTPStatus.NOT_FOUND)
        return found


def _opened(result: Redeploy | InProgress | TooOften) -> Reply:
    if isinstance(result, InProgress):
        location = location_of(result.other)
        told = problem(HTTPStatus.CONFLICT, f"the service is being redeployed: {location}")
        return replace(told, headers={"Location": location})
    if isinstance(result, TooOften):
        said = "; ".join(each.text for each in result.refusals)
        wait = max(each.retry_after_seconds or 0 for each in result.refusals)
        told = problem(HTTPStatus.TOO_MANY_REQUESTS, said)
        return replace(told, headers={"Retry-After": str(wait)})
    return _shown(result, aborting=False, status=HTTPStatus.ACCEPTED)


def _shown(redeploy: Redeploy, *, aborting: bool, status: HTTPStatus) -> Reply:
    accepted = status is HTTPStatus.ACCEPTED
    headers = {"Location": location_of(redeploy)} if accepted else {}
    shown = report_of(redeploy, aborting=aborting)
    return json_reply(shown.model_dump_json(), status=status, headers=headers)
