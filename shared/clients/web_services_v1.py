"""AML v1 web services on ACI and AKS, through azureml-core: list, read, keys and tokens.

Sunset: support of SDK v1 ended on 30 June 2026, and nothing else drives these services; what is
left of them belongs on v2 endpoints. The SDK blocks, retries by itself and ends when it likes: it
lives in threads of its own, and whoever waits for it stops waiting at the deadline.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.clients import azureml_sdk
from shared.clients.azureml_sdk import Named
from shared.clients.azureml_threads import SdkThreads
from shared.errors import AzureRequestError, CredentialError, OpsError
from shared.scoring.azure import FoundService, ServiceKey, WorkspaceServices

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_WORKSPACE: Final = (
    r"(?P<workspace_id>/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<workspace>[^/]+))"
)
_WORKSPACE_ID: Final = re.compile(_WORKSPACE, re.IGNORECASE)
_SERVICE_ID: Final = re.compile(rf"{_WORKSPACE}/services/(?P<service>[^/]+)", re.IGNORECASE)
# It spends most of its time waiting, and the rest in the interpreter that all of the app shares.
AT_ONCE: Final = 4
# Signing in takes a moment; a thread of the SDK's waits for it no longer than this.
TOKEN_SECONDS: Final = 30.0
Result = TypeVar("Result")


class WebServicesV1Client:
    """Provides `shared.scoring.azure.ScoringAzure` for v1 web services.

    `threads` is where the SDK runs, the worker's; at most AT_ONCE calls of this client at a time.
    """

    def __init__(
        self, credential: AsyncTokenCredential, *, threads: SdkThreads, now: Callable[[], datetime]
    ) -> None:
        self._credential = credential
        self._threads = threads
        self._now = now
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def list_services(self, workspace_id: str, *, deadline: datetime) -> WorkspaceServices:
        """Webservice.list, all pages."""
        try:
            named = _parsed(_WORKSPACE_ID, workspace_id)
            found = await self._call(azureml_sdk.list_services, named, deadline=deadline)
        except OpsError as error:
            return WorkspaceServices(workspace_id=workspace_id, problem=str(error))
        return WorkspaceServices(workspace_id=workspace_id, services=found)

    async def get_service(self, service_id: str, *, deadline: datetime) -> FoundService:
        """Webservice(workspace, name)."""
        named = _parsed(_SERVICE_ID, service_id)
        return await self._call(azureml_sdk.get_service, named, deadline=deadline)

    async def get_key(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """Webservice.get_keys, and take the primary one."""
        named = _parsed(_SERVICE_ID, service_id)
        return await self._call(azureml_sdk.get_key, named, deadline=deadline)

    async def get_token(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """AksWebservice.get_access_token; ACI has none."""
        named = _parsed(_SERVICE_ID, service_id)
        return await self._call(azureml_sdk.get_token, named, deadline=deadline)

    async def work_on(
        self, service_id: str, work: azureml_sdk.Work[Result], *, deadline: datetime
    ) -> Result:
        """Let a thread of the SDK's work on a service: one poll or one update, never a wait."""
        return await self._call(work, _parsed(_SERVICE_ID, service_id), deadline=deadline)

    async def _call(
        self, work: azureml_sdk.Work[Result], named: Named, *, deadline: datetime
    ) -> Result:
        seconds = (deadline - self._now()).total_seconds()
        late = AzureRequestError(
            f"azureml-core had no answer about {named.id} by the deadline",
            status=None,
            retryable=True,
        )
        if seconds <= 0:
            raise late
        visit = _Visit(loop=asyncio.get_running_loop(), sign_in=self._sign_in)
        in_thread = partial(azureml_sdk.carry_out, work, named, visit.token_for)
        try:
            async with asyncio.timeout(seconds), self._turns:
                return await asyncio.wrap_future(self._threads.start(in_thread))
        except TimeoutError:
            raise late from None
        finally:
            visit.is_over = True

    async def _sign_in(self, scope: str) -> str:
        return (await self._credential.get_token(scope)).token


@dataclass(kw_only=True)
class _Visit:
    """One call of the SDK's. Once nobody waits for it, it gets no token and so comes to its end."""

    loop: asyncio.AbstractEventLoop
    sign_in: Callable[[str], Coroutine[Any, Any, str]]
    is_over: bool = False

    def token_for(self, audience: str) -> str:
        """Have the event loop sign in: the credential belongs to it, the SDK to a thread."""
        if self.is_over or self.loop.is_closed():
            raise CredentialError("nobody waits for this token any more", retryable=True)
        asked = asyncio.run_coroutine_threadsafe(self.sign_in(f"{audience}/.default"), self.loop)
        try:
            return asked.result(TOKEN_SECONDS)
        except TimeoutError:
            asked.cancel()
            problem = f"no token within {TOKEN_SECONDS:.0f} s"
            raise CredentialError(problem, retryable=True) from None


def _parsed(pattern: re.Pattern[str], resource_id: str) -> Named:
    """Take an id apart. Raises AzureRequestError for another resource's: it becomes a path."""
    found = pattern.fullmatch(resource_id)
    if found is None:
        raise AzureRequestError(f"{resource_id} is not such an id", status=None)
    return Named(id=resource_id, **found.groupdict())
