"""One small Azure with scoring services, for a contract test: a fake, or a real client."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.clients.azureml_threads import SdkThreads
from shared.clients.online_endpoints import OnlineEndpointsClient
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.errors import AzureRequestError, CredentialError
from shared.scoring.azure import FoundService, ScoringAzure, ServiceKey, SignIn
from shared.scoring.service import Kind
from tests.support.arm_session import ArmSession, FixedToken, now, within
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.fake_scoring import FakeScoring
from tests.support.wire import Reply

WORKSPACE = a_workspace().id
OTHER_WORKSPACE = a_workspace("mlw-other").id
SECONDS = 30
FORBIDDEN = AzureRequestError("403: AuthorizationFailed", status=403, code="AuthorizationFailed")
MODES = {SignIn.KEY: "Key", SignIn.AML_TOKEN: "AMLToken", SignIn.ENTRA_TOKEN: "AADToken"}
COLLECTIONS = {Kind.AML_ONLINE: "onlineEndpoints", Kind.AML_V1: "services"}
GOOD_STATES = {Kind.AML_ONLINE: "Succeeded", Kind.AML_V1: "Healthy"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A service to put on the stage; `state` empty: a good one.

    `error`: why one of v1 failed. `gets_traffic`: whether one of v2 sends its deployment any.
    """

    name: str = "weight"
    sign_in: SignIn = SignIn.KEY
    tags: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    error: tuple[str, str] | None = None
    gets_traffic: bool = True


@dataclass(frozen=True, kw_only=True)
class ScoringStage:
    """One Azure, real client or fake; `emulator` is there for the real one."""

    kind: Kind
    azure: ScoringAzure
    emulator: EmulatorProcess | None = None

    def id_of(self, name: str = "weight") -> str:
        return f"{WORKSPACE}/{COLLECTIONS[self.kind]}/{name}"

    async def services(self) -> Sequence[FoundService]:
        listed = await self.azure.list_services(WORKSPACE, deadline=within(SECONDS))
        assert listed.problem == ""
        return listed.services

    async def key(self) -> ServiceKey:
        return await self.azure.get_key(self.id_of(), deadline=within(SECONDS))

    async def token(self) -> ServiceKey:
        return await self.azure.get_token(self.id_of(), deadline=within(SECONDS))

    async def opens(self, key: ServiceKey) -> bool:
        """Whether the service takes this for its own."""
        if isinstance(self.azure, FakeScoring):
            return self.azure.keys.get(key.value) == self.id_of().lower()
        found = await self.azure.get_service(self.id_of(), deadline=within(SECONDS))
        reply = await asyncio.to_thread(self._score, found.scoring_uri, key)
        return reply.status != 401

    def _score(self, uri: str, key: ServiceKey) -> Reply:
        assert self.emulator is not None
        headers = {"Authorization": f"Bearer {key.value}"}
        return self.emulator.wire.send("POST", uri, body=b"{}", headers=headers)

    def hang(self) -> None:
        """Let lists give no answer in time."""
        if isinstance(self.azure, FakeScoring):
            self.azure.hanging.add(WORKSPACE)
        elif self.emulator is not None:
            self.emulator.fault(f"/{COLLECTIONS[self.kind]}$", hang_seconds=3)


@dataclass(frozen=True, kw_only=True)
class ScoringStages:
    """Makes a stage of one kind; without an emulator of the fake."""

    kind: Kind
    emulator: EmulatorProcess | None = None

    @asynccontextmanager
    async def with_services(
        self, *wanted: Wanted, forbidden: bool = False, token: str | None = ""
    ) -> AsyncIterator[ScoringStage]:
        """`token` None: nobody can sign in."""
        if self.emulator is None:
            fake = self._fake(wanted, forbidden=forbidden, signed_in=token is not None)
            yield ScoringStage(kind=self.kind, azure=fake)
            return
        self.emulator.seed(self._seed(wanted, forbidden=forbidden))
        async with self._client(self.emulator, token) as client:
            yield ScoringStage(kind=self.kind, azure=client, emulator=self.emulator)

    @asynccontextmanager
    async def _client(
        self, emulator: EmulatorProcess, token: str | None
    ) -> AsyncIterator[ScoringAzure]:
        if self.kind is Kind.AML_V1:
            held = emulator.arm_token() if token == "" else token
            yield WebServicesV1Client(FixedToken(held), threads=SdkThreads(), now=now)
            return
        entra = FixedToken(emulator.arm_token("https://ml.azure.com"))
        async with ArmSession(emulator=emulator).open(token=token) as arm:
            yield OnlineEndpointsClient(arm, credential=entra, now=now)

    def _seed(self, wanted: Sequence[Wanted], *, forbidden: bool) -> dict[str, Any]:
        is_v1 = self.kind is Kind.AML_V1
        seeds = [_service(each) if is_v1 else _endpoint(each) for each in wanted]
        key = "services" if is_v1 else "online_endpoints"
        home = {"name": "mlw-churn", "forbidden": forbidden, key: seeds}
        workspaces = [home, {"name": "mlw-other"}]
        return {"subscriptions": [{"id": SUBSCRIPTION, "workspaces": workspaces}]}

    def _fake(self, wanted: Sequence[Wanted], *, forbidden: bool, signed_in: bool) -> FakeScoring:
        found = [_found(each, self.kind) for each in wanted]
        fake = FakeScoring(now=now, workspaces={WORKSPACE: found, OTHER_WORKSPACE: []})
        if forbidden:
            fake.failures[WORKSPACE] = FORBIDDEN
        if not signed_in:
            fake.failures[WORKSPACE] = CredentialError("the vault is locked")
        return fake


def _endpoint(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "auth_mode": MODES[wanted.sign_in],
        "tags": dict(wanted.tags),
        "provisioning_state": wanted.state or GOOD_STATES[Kind.AML_ONLINE],
        "deployments": [{"name": "blue"}],
        "traffic": {"blue": 100 if wanted.gets_traffic else 0},
    }


def _service(wanted: Wanted) -> dict[str, Any]:
    has_token = wanted.sign_in is SignIn.AML_TOKEN
    return {
        "name": wanted.name,
        "compute_type": "AKS" if has_token else "ACI",
        "auth_enabled": wanted.sign_in is SignIn.KEY,
        "token_auth_enabled": has_token,
        "tags": dict(wanted.tags),
        "state": wanted.state or GOOD_STATES[Kind.AML_V1],
        "error": _error(wanted),
    }


def _error(wanted: Wanted) -> dict[str, Any] | None:
    if wanted.error is None:
        return None
    code, message = wanted.error
    return {"code": code, "statusCode": 400, "message": message, "details": [], "correlation": {}}


def _found(wanted: Wanted, kind: Kind) -> FoundService:
    return FoundService(
        id=f"{WORKSPACE}/{COLLECTIONS[kind]}/{wanted.name}",
        name=wanted.name,
        workspace_id=WORKSPACE,
        kind=kind,
        runs_on="Managed" if kind is Kind.AML_ONLINE else "ACI",
        scoring_uri=f"https://{wanted.name}.example/score",
        sign_in=wanted.sign_in,
        state=wanted.state or GOOD_STATES[kind],
        error=": ".join(wanted.error or ()),
        gets_traffic=wanted.gets_traffic if kind is Kind.AML_ONLINE else None,
        tags=wanted.tags,
        created_at=now(),
    )
