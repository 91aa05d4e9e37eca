"""Answer requests about exemptions: list, show, claim, extend, withdraw.

One that has ended is gone for every caller, whether or not it was pruned from storage yet.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict

from shared.callers import claimant, refuse_unknown
from shared.compute.azure import MachineLearning
from shared.compute.exemption_order import (
    ANY,
    ExemptionOrder,
    IfMatch,
    check_id,
    parse_condition,
    parse_exemption,
    parse_if_match,
)
from shared.compute.exemptions import Exemption, ExemptionStore
from shared.compute.lookup import find_resource
from shared.compute.run import Now
from shared.errors import AzureRequestError, CredentialError, InvalidRequestError
from shared.replies import Reply, json_reply

logger = logging.getLogger(__name__)

PATH = "/api/compute/exemptions"
# An owner does not wait longer for Azure to confirm that the machine is there.
LOOKUP_PATIENCE = timedelta(seconds=30)
# `If-Match: *` means any version: one that changes under our hands is looked at again.
TRIES = 5


class ExemptionReport(BaseModel):
    """An exemption as its owner sees it. `claimed_by` is None where nobody was authenticated."""

    model_config = ConfigDict(frozen=True)

    exemption_id: str
    resource_id: str
    until: datetime
    seconds_left: int
    reason: str
    claimed_by: str | None
    created_at: datetime
    etag: str


class ExemptionList(BaseModel):
    """Those in force, by their end."""

    model_config = ConfigDict(frozen=True)

    exemptions: tuple[ExemptionReport, ...]


@dataclass(frozen=True, kw_only=True)
class ExemptionRequests:
    """Answers about exemptions.

    `longest`: how far ahead one may end. `trusts_sign_in`: App Service authentication is on, so
    that the identity it names can be believed.
    """

    store: ExemptionStore
    azure: MachineLearning
    now: Now
    longest: timedelta
    trusts_sign_in: bool = False

    async def list(self, query: Mapping[str, str]) -> Reply:
        """200: those in force, with the time left. There is nothing to filter by."""
        refuse_unknown(query, known=())
        now = self.now()
        listed = await self.store.list_active(now=now)
        shown = ExemptionList(exemptions=tuple(_report(each, now=now) for each in listed))
        return json_reply(shown.model_dump_json(), status=HTTPStatus.OK)

    async def get(self, exemption_id: str) -> Reply:
        """200 with its ETag; 404 if there is none or it has ended."""
        found = await self._current(check_id(exemption_id))
        if found is None:
            said = f"there is no exemption {exemption_id}"
            raise InvalidRequestError("exemption_id", said, status=HTTPStatus.NOT_FOUND)
        return self._shown(found, status=HTTPStatus.OK)

    async def put(self, exemption_id: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """201 for a new one, 200 for one replaced; 428 without a condition, 412 if it fails.

        400 for what the body has wrong; 404 if Azure says that the machine is not there.
        """
        check_id(exemption_id)
        condition = parse_condition(headers)
        order = parse_exemption(body, now=self.now(), longest=self.longest)
        asked = Exemption(
            exemption_id=exemption_id,
            resource_id=await self._in_azures_spelling(order),
            until=order.until,
            reason=order.reason,
            claimed_by=claimant(headers, trusted=self.trusts_sign_in),
            created_at=self.now(),
        )
        if condition is None:
            return await self._create(asked)
        return await self._replace(asked, condition)

    async def delete(self, exemption_id: str, headers: Mapping[str, str]) -> Reply:
        """204, also if it is gone already; 412 if `If-Match` names another version."""
        check_id(exemption_id)
        condition = parse_if_match(headers)
        found = await self._current(exemption_id)
        if found and not await self._withdraw(found, condition):
            raise _failed("If-Match", "is not its present version")
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def _withdraw(self, found: Exemption, condition: IfMatch | None) -> bool:
        if condition is None or ANY in condition.etags:
            return await self.store.delete(found.exemption_id, etag=None)
        held = condition.holds_for(found)
        return held and await self.store.delete(found.exemption_id, etag=found.etag)

    async def _create(self, asked: Exemption) -> Reply:
        stored = await self.store.create(asked) or await self._replace_ended(asked)
        if stored is None:
            raise _failed("If-None-Match", f"there is an exemption {asked.exemption_id} already")
        return self._shown(stored, status=HTTPStatus.CREATED)

    async def _replace_ended(self, asked: Exemption) -> Exemption | None:
        found = await self.store.get(asked.exemption_id)
        if found is None or self._is_in_force(found):
            return None
        return await self.store.replace(asked, etag=found.etag)

    async def _replace(self, asked: Exemption, condition: IfMatch) -> Reply:
        for _ in range(TRIES if ANY in condition.etags else 1):
            found = await self._current(asked.exemption_id)
            if found is None or not condition.holds_for(found):
                break
            renewed = replace(asked, created_at=found.created_at)
            if stored := await self.store.replace(renewed, etag=found.etag):
                return self._shown(stored, status=HTTPStatus.OK)
        raise _failed("If-Match", "is not its present version, or there is none")

    async def _in_azures_spelling(self, order: ExemptionOrder) -> str:
        """Return the id as Azure spells it; the caller's own if Azure cannot be read.

        A machine that cannot be seen now may be there, and its owner needs the night.
        """
        deadline = self.now() + LOOKUP_PATIENCE
        try:
            found = await find_resource(
                self.azure, order.resource_id, field="resource_id", deadline=deadline
            )
        except (AzureRequestError, CredentialError) as error:
            logger.warning("an exemption is taken unchecked: %s", error)
            return order.resource_id
        return found.id

    async def _current(self, exemption_id: str) -> Exemption | None:
        found = await self.store.get(exemption_id)
        return found if found and self._is_in_force(found) else None

    def _is_in_force(self, exemption: Exemption) -> bool:
        return self.now() < exemption.until

    def _shown(self, exemption: Exemption, *, status: HTTPStatus) -> Reply:
        created = status is HTTPStatus.CREATED
        headers = {"ETag": exemption.etag}
        if created:
            headers["Location"] = f"{PATH}/{exemption.exemption_id}"
        shown = _report(exemption, now=self.now())
        return json_reply(shown.model_dump_json(), status=status, headers=headers)


def _report(exemption: Exemption, *, now: datetime) -> ExemptionReport:
    return ExemptionReport(
        exemption_id=exemption.exemption_id,
        resource_id=exemption.resource_id,
        until=exemption.until,
        seconds_left=max(0, int((exemption.until - now).total_seconds())),
        reason=exemption.reason,
        claimed_by=exemption.claimed_by or None,
        created_at=exemption.created_at,
        etag=exemption.etag,
    )


def _failed(field: str, said: str) -> InvalidRequestError:
    return InvalidRequestError(field, said, status=HTTPStatus.PRECONDITION_FAILED)
