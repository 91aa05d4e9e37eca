"""Scoring services of one kind in memory: what a round of checks sees of Azure.

It passes the same suite as the real clients (tests/scoring/test_scoring_azure_contract.py).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from shared.errors import AzureRequestError, OpsError
from shared.scoring.azure import FoundService, ServiceKey, SignIn, WorkspaceServices

A_TOKENS_LIFE = timedelta(hours=12)


@dataclass(kw_only=True)
class FakeScoring:
    """`workspaces` holds services by workspace id; `failures` an error by the id of either.

    What is `hanging` gives no answer before the deadline. `keys` are all keys and tokens handed out.
    """

    now: Callable[[], datetime]
    workspaces: dict[str, Sequence[FoundService]] = field(default_factory=dict)
    failures: dict[str, OpsError] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    calls: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def list_services(self, workspace_id: str, *, deadline: datetime) -> WorkspaceServices:
        try:
            await self._called("list_services", workspace_id, deadline)
            if workspace_id not in self.workspaces:
                raise _not_found(workspace_id)
        except OpsError as error:
            return WorkspaceServices(workspace_id=workspace_id, problem=str(error))
        return WorkspaceServices(
            workspace_id=workspace_id, services=tuple(self.workspaces[workspace_id])
        )

    async def get_service(self, service_id: str, *, deadline: datetime) -> FoundService:
        await self._called("get_service", service_id, deadline)
        every = [each for services in self.workspaces.values() for each in services]
        found = next((each for each in every if each.key == service_id.lower()), None)
        if found is None:
            raise _not_found(service_id)
        return found

    async def get_key(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        await self._signing_in(service_id, {SignIn.KEY}, deadline=deadline)
        return ServiceKey(value=self._new(service_id))

    async def get_token(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        tokens = {SignIn.AML_TOKEN, SignIn.ENTRA_TOKEN}
        service = await self._signing_in(service_id, tokens, deadline=deadline)
        expires_at = self.now() + A_TOKENS_LIFE
        # Entra ID's say only when they end.
        is_azure_mls = service.sign_in is SignIn.AML_TOKEN
        return ServiceKey(
            value=self._new(service_id),
            refresh_after=expires_at - A_TOKENS_LIFE / 3 if is_azure_mls else None,
            expires_at=expires_at,
        )

    async def _signing_in(
        self, service_id: str, by: set[SignIn], *, deadline: datetime
    ) -> FoundService:
        service = await self.get_service(service_id, deadline=deadline)
        if service.sign_in not in by:
            raise AzureRequestError(f"{service_id} signs in with {service.sign_in}", status=400)
        return service

    def _new(self, service_id: str) -> str:
        value = f"fake-key-{next(self._numbers)}"
        self.keys[value] = service_id.lower()
        return value

    async def _called(self, method: str, resource_id: str, deadline: datetime) -> None:
        self.calls.append(f"{method} {resource_id}")
        # A request takes its time: whatever else is ready goes on meanwhile.
        await asyncio.sleep(0)
        if resource_id in self.hanging:
            await asyncio.sleep(max((deadline - self.now()).total_seconds(), 0))
        for at in (resource_id, _workspace_of(resource_id)):
            if at in self.failures:
                raise self.failures[at]
        if self.now() >= deadline:
            raise AzureRequestError("the deadline came", status=None, retryable=True)


def _workspace_of(resource_id: str) -> str:
    return "/".join(resource_id.split("/")[:9])


def _not_found(resource_id: str) -> AzureRequestError:
    return AzureRequestError(f"{resource_id}: 404", status=404, code="NotFound")
