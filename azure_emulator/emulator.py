"""All of the emulated Azure as one ASGI application, and what puts it at a seed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from azure_emulator import (
    entra,
    key_vault,
    managed_identity,
    model_management,
    monitor,
    registry,
    scoring,
    service_discovery,
    service_principal,
    storage,
)
from azure_emulator.arm.buckets import Buckets, Size
from azure_emulator.arm.call import ArmSettings
from azure_emulator.arm.gateway import ArmState, Front, Gateway
from azure_emulator.arm.grants import Grants, forbidden_workspaces
from azure_emulator.arm.routes import ROUTES
from azure_emulator.arm.routing import RoutingTable
from azure_emulator.clock import Clock
from azure_emulator.entra.directory import (
    MANAGED_IDENTITY_OBJECT_ID,
    SERVICE_PRINCIPAL_OBJECT_ID,
    ApplicationSeed,
    Directory,
    DirectorySeed,
)
from azure_emulator.estate.estate import Estate
from azure_emulator.faults import Faults
from azure_emulator.key_vault import Vault, VaultSeed
from azure_emulator.kubernetes import api, ingress
from azure_emulator.model_management import artifacts, environments
from azure_emulator.monitor import Telemetry
from azure_emulator.recorder import Recorder
from azure_emulator.seed import Seed
from azure_emulator.services import Services

_ARM = re.compile(
    r"^/+(subscriptions|providers|tenants|rp/workspaces"
    r"|modelmanagement/v1\.0|artifact/v2\.0|environment/v1\.0)(/|$)",
    re.IGNORECASE,
)
_OBJECT_IDS = {
    "managed_identity": MANAGED_IDENTITY_OBJECT_ID,
    "service_principal": SERVICE_PRINCIPAL_OBJECT_ID,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says; `identity_header` is the secret of the identity endpoint."""

    arm: ArmSettings
    time_scale: float = 1.0
    bucket_sizes: Mapping[str, Size] = field(default_factory=dict)
    identity_header: str = field(repr=False)


class Emulator:
    """Azure. A new seed or a reset keeps the signing key, so that tokens stay valid."""

    def __init__(self, options: Options, seed: Seed) -> None:
        self._options = options
        self._first_seed = seed
        self._fronts = _fronts()
        self.clock = Clock(scale=options.time_scale)
        self.estate = Estate(Seed(version=1), self.clock)
        self.directory = Directory()
        self.vault = Vault()
        self.telemetry = Telemetry()
        self.faults = Faults()
        self.recorder = Recorder(self.clock)
        self._services = Services(self._other_routes(), self.faults)
        self.load(seed)

    @property
    def base_url(self) -> str:
        return self._options.arm.base_url

    def reset(self) -> None:
        """Go back to the seed of the start: full buckets, no faults, no records, no telemetry."""
        self.load(self._first_seed)

    def load(self, seed: Seed) -> None:
        """Become what a seed says, and forget everything that happened."""
        self.faults.clear()
        self.recorder.clear()
        self.telemetry.clear()
        self._load_identities(seed)
        self.estate.close()
        self.estate = Estate(seed, self.clock)
        self.buckets = Buckets(self.clock, self._options.bucket_sizes)
        self.grants = _grants(seed, self.estate)
        self.anonymous_pull = seed.anonymous_pull
        state = ArmState(
            estate=self.estate,
            grants=self.grants,
            buckets=self.buckets,
            directory=self.directory,
            faults=self.faults,
            settings=self._options.arm,
        )
        self._gateway = Gateway(state, self._fronts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        record = self.recorder.open(
            method=scope["method"], path=path, query=scope["query_string"].decode("latin-1")
        )
        service = self._gateway if _ARM.match(path) else self._services
        await service.serve(scope, receive, send, record=record)

    def _load_identities(self, seed: Seed) -> None:
        access = seed.access
        self.directory.load(
            DirectorySeed(
                applications=(ApplicationSeed(client_id=seed.service_principal.client_id),),
                token_lifetime_seconds=seed.token_lifetime_seconds,
            )
        )
        self.vault.load(
            VaultSeed(
                readers=frozenset(_OBJECT_IDS[reader] for reader in access.vault_readers),
                forbidden=frozenset(access.forbidden_secrets),
            )
        )
        service_principal.install(
            seed.service_principal, directory=self.directory, vault=self.vault
        )

    def _other_routes(self) -> list[BaseRoute]:
        header = self._options.identity_header
        return [
            *managed_identity.routes(self.directory, header=header),
            *service_discovery.routes(),
            *monitor.routes(self.telemetry),
            *registry.routes(self),
            *storage.routes(self),
            *scoring.routes(self),
            *api.routes(self),
            *ingress.routes(self),
            *key_vault.routes(self.vault, self.directory),
            *entra.routes(self.directory),
        ]


def _fronts() -> list[Front]:
    arm = RoutingTable(ROUTES)
    return [
        Front(prefix=("rp", "workspaces"), routes=arm),
        Front(
            prefix=model_management.PREFIX,
            routes=RoutingTable(model_management.ROUTES),
            versioned=False,
        ),
        Front(
            prefix=artifacts.PREFIX,
            routes=RoutingTable(artifacts.ROUTES),
            versioned=False,
        ),
        Front(
            prefix=environments.PREFIX,
            routes=RoutingTable(environments.ROUTES),
            versioned=False,
        ),
        Front(routes=arm),
    ]


def _grants(seed: Seed, estate: Estate) -> Grants:
    grants = {
        SERVICE_PRINCIPAL_OBJECT_ID: seed.access.service_principal,
        MANAGED_IDENTITY_OBJECT_ID: seed.access.managed_identity,
    }
    return Grants(grants, forbidden=forbidden_workspaces(estate))
