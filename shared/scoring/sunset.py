"""Which web services of SDK v1 are left, and what each becomes as an online endpoint (v2).

Support of SDK v1 ended on 30 June 2026; its services go on, unsupported. Source:
learn.microsoft.com/azure/machine-learning/migrate-to-v2-managed-online-endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.callers import refuse_unknown
from shared.errors import AzureRequestError
from shared.replies import Reply, json_reply
from shared.scoring.azure import FoundService, SignIn
from shared.scoring.discovery import Discovery, Estate, Unread
from shared.scoring.service import Kind

SUPPORT_ENDED: Final = date(2026, 6, 30)
ON_AKS: Final = "AKS"
# How an endpoint is signed in to, by how its predecessor was.
_AUTH_MODES: Final[Mapping[SignIn, str]] = {SignIn.AML_TOKEN: "AMLToken"}


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class Successor(_Shown):
    """The online endpoint that would take a service's place.

    `resource_id` is the endpoint of the same name in the same workspace; `is_there`: one of that name
    exists, None where the workspace's endpoints could not be listed. `changes` are what callers and
    owners notice, in sentences.
    """

    kind: str
    resource_id: str
    auth_mode: str
    is_there: bool | None
    changes: Sequence[str]


class SunsetService(_Shown):
    """A web service of SDK v1. `runs_on`, `state` are Azure's words; `sign_in` is what it asks for."""

    resource_id: str
    name: str
    runs_on: str
    state: str
    sign_in: SignIn
    scoring_uri: str
    created_at: datetime | None
    successor: Successor


class UnreadScope(_Shown):
    """A subscription or workspace that could not be listed; empty: all of them."""

    scope: str
    problem: str


class SunsetReport(_Shown):
    """All that is left; where `unread` is not empty, there may be more."""

    support_ended: date
    services: Sequence[SunsetService]
    unread: Sequence[UnreadScope]


@dataclass(frozen=True, kw_only=True)
class Sunset:
    """Looks for what is left. `discovery` lists kinds aml-v1 and aml-online, anew each time."""

    discovery: Discovery
    time_limit: timedelta

    async def answer(self, query: Mapping[str, str]) -> Reply:
        """200: all that is left; 207: a part could not be listed.

        Raises AzureRequestError where nothing could be.
        """
        refuse_unknown(query, known=())
        estate = await self.discovery.look(time_limit=self.time_limit)
        for each in estate.unread:
            if not each.scope:
                raise AzureRequestError(each.problem, status=None, retryable=True)
        status = HTTPStatus.MULTI_STATUS if _unread(estate) else HTTPStatus.OK
        return json_reply(report_of(estate).model_dump_json(), status=status)


def report_of(estate: Estate) -> SunsetReport:
    """Return what is left of an estate, by id, each with its successor."""
    left = [each for each in estate.found if each.kind is Kind.AML_V1]
    services = [_service(each, estate) for each in sorted(left, key=lambda each: each.key)]
    unread = [UnreadScope(scope=each.scope, problem=each.problem) for each in _unread(estate)]
    return SunsetReport(support_ended=SUPPORT_ENDED, services=services, unread=unread)


def _unread(estate: Estate) -> Sequence[Unread]:
    """Where services of v1 may be that were not seen."""
    return [each for each in estate.unread if each.kind in {None, Kind.AML_V1}]


def _service(found: FoundService, estate: Estate) -> SunsetService:
    return SunsetService(
        resource_id=found.id,
        name=found.name,
        runs_on=found.runs_on,
        state=found.state,
        sign_in=found.sign_in,
        scoring_uri=found.scoring_uri,
        created_at=found.created_at,
        successor=_successor(found, estate),
    )


def _successor(found: FoundService, estate: Estate) -> Successor:
    on_cluster = found.runs_on.upper() == ON_AKS
    endpoint_id = f"{found.workspace_id}/onlineEndpoints/{found.name}"
    return Successor(
        kind="Kubernetes online endpoint" if on_cluster else "managed online endpoint",
        resource_id=endpoint_id,
        auth_mode=_AUTH_MODES.get(found.sign_in, "Key"),
        is_there=_is_there(endpoint_id, estate),
        changes=_changes(found, on_cluster=on_cluster),
    )


def _is_there(endpoint_id: str, estate: Estate) -> bool | None:
    if any(each.key == endpoint_id.lower() for each in estate.found):
        return True
    unsure = any(each.covers(Kind.AML_ONLINE, endpoint_id) for each in estate.unread)
    return None if unsure else False


def _changes(found: FoundService, *, on_cluster: bool) -> Sequence[str]:
    changes = ["The scoring URI is another one: callers must be told."]
    if found.sign_in is SignIn.NONE:
        changes.append("It asks for no key now; an online endpoint always does.")
    if on_cluster:
        changes.append("A managed online endpoint would do, too, without a cluster of one's own.")
    else:
        changes.append("The instance type replaces cores and memory; the DNS label goes.")
    return changes
