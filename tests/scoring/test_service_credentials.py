"""Keys of services: whose they are, where they go, when they are asked for again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from shared.clients.service_credentials import (
    HOLD,
    CredentialCache,
    ServiceCredentials,
    Sources,
)
from shared.clients.service_principal import SecretNames
from shared.clients.vault_secrets import CredentialSource, ServiceSecrets
from shared.errors import AzureRequestError, CredentialError
from shared.scoring.azure import FoundService, SignIn
from shared.scoring.service import Kind, Service
from tests.support.arm_session import trust
from tests.support.emulator import EmulatorProcess
from tests.support.fake_scoring import FakeScoring
from tests.support.worker import Worker

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORKSPACE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-r/providers"
    "/Microsoft.MachineLearningServices/workspaces/ws-r"
)
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/weight"
SCORING_URI = "https://weight.westeurope.inference.ml.azure.com/score"
BASE = "https://weight.westeurope.inference.ml.azure.com"


def found(sign_in: SignIn = SignIn.KEY, scoring_uri: str = SCORING_URI) -> FoundService:
    return FoundService(
        id=ENDPOINT,
        name="weight",
        workspace_id=WORKSPACE,
        kind=Kind.AML_ONLINE,
        runs_on="Managed",
        scoring_uri=scoring_uri,
        sign_in=sign_in,
        state="Succeeded",
    )


@dataclass
class Entra:
    """Hands out a token for each scope."""

    scopes: list[str] = field(default_factory=list)

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.extend(scopes)
        return AccessToken(f"token-{len(self.scopes)}", 0)

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@dataclass
class Stage:
    """A vault, Azure, Entra ID and a clock behind the credentials of one worker."""

    secrets: dict[str, str | CredentialError] = field(default_factory=dict)
    entra: Entra = field(default_factory=Entra)
    cache: CredentialCache = field(default_factory=CredentialCache)
    now: datetime = NOON
    asked: list[str] = field(default_factory=list)
    azure: FakeScoring = field(init=False)

    def __post_init__(self) -> None:
        self.azure = FakeScoring(now=lambda: self.now, workspaces={WORKSPACE: [found()]})

    @property
    def credentials(self) -> ServiceCredentials:
        sources = Sources(
            get_secret=self._get_secret,
            azure={Kind.AML_ONLINE: self.azure},
            entra=self.entra,  # type: ignore[arg-type]  # only get_token is asked
            own_secrets=SecretNames(prefix="AML-ops").every,
        )
        return ServiceCredentials(sources, cache=self.cache, now=lambda: self.now)

    async def _get_secret(self, name: str) -> str:
        self.asked.append(name)
        await asyncio.sleep(0)
        value = self.secrets[name]
        if isinstance(value, CredentialError):
            raise value
        return value

    def later(self, by: timedelta = HOLD) -> None:
        self.now += by


@pytest.fixture
def stage() -> Stage:
    return Stage(secrets={"weight-key": "k1"})


def a_service(**fields: Any) -> Service:
    plain = {"name": "weight", "kind": "http", "url": "https://r.example", "preset": "plumber"}
    return Service.model_validate(plain | {"credential": {"secret": "weight-key"}} | fields)


def an_endpoint(url: str | None = BASE, source: str = "key") -> Service:
    return a_service(
        kind="aml-online",
        url=url,
        preset=None,
        resource_id=ENDPOINT,
        credential={"from_azure": source},
    )


async def test_a_service_without_a_credential_signs_in_with_nothing(stage: Stage) -> None:
    found = await stage.credentials.sign_in(a_service(credential=None))

    assert (dict(found.headers), found.problem) == ({}, "")


async def test_a_key_from_the_vault_travels_as_declared(stage: Stage) -> None:
    plain = await stage.credentials.sign_in(a_service())
    other = {"secret": "weight-key", "header": "X-Api-Key", "scheme": ""}

    assert plain.headers == {"Authorization": "Bearer k1"}
    assert (await stage.credentials.sign_in(a_service(credential=other))).headers == {
        "X-Api-Key": "k1"
    }


async def test_a_key_is_read_once_for_many_services(stage: Stage) -> None:
    credentials = stage.credentials

    await asyncio.gather(*(credentials.sign_in(a_service(name=f"s{n}")) for n in range(20)))

    assert stage.asked == ["weight-key"]


async def test_a_refused_key_is_read_again_once(stage: Stage) -> None:
    await stage.credentials.sign_in(a_service())
    stage.secrets["weight-key"] = "k2"
    stage.later()

    many = [stage.credentials.sign_in(a_service(name=f"s{n}"), renew=True) for n in range(5)]
    renewed = await asyncio.gather(*many)

    assert {each.headers["Authorization"] for each in renewed} == {"Bearer k2"}
    assert stage.asked == ["weight-key"] * 2


async def test_a_key_that_was_just_read_is_not_asked_for_again(stage: Stage) -> None:
    await stage.credentials.sign_in(a_service())

    await stage.credentials.sign_in(a_service(), renew=True)

    assert stage.asked == ["weight-key"]


async def test_a_missing_secret_is_a_problem_and_no_exception(stage: Stage) -> None:
    stage.secrets["weight-key"] = CredentialError("Key Vault secret 'weight-key' does not exist")

    found = await stage.credentials.sign_in(a_service())
    again = await stage.credentials.sign_in(a_service())

    assert found.problem == ("its key cannot be had: Key Vault secret 'weight-key' does not exist")
    assert again == found
    assert stage.asked == ["weight-key"]


@pytest.mark.parametrize("retryable", [True, False])
async def test_whether_a_problem_is_of_what_keeps_the_key_is_said(
    stage: Stage, *, retryable: bool
) -> None:
    stage.secrets["weight-key"] = CredentialError("no key", retryable=retryable)

    assert (await stage.credentials.sign_in(a_service())).unavailable is retryable


async def test_a_problem_is_looked_into_again_after_a_while(stage: Stage) -> None:
    stage.secrets["weight-key"] = CredentialError("away", retryable=True)
    await stage.credentials.sign_in(a_service())
    stage.secrets["weight-key"] = "k1"
    stage.later()

    assert (await stage.credentials.sign_in(a_service())).headers


@pytest.mark.parametrize(
    "name",
    ["aml-ops-client-secret", "AML-OPS-Client-Secret", "aml-ops-client-certificate"],
)
async def test_the_apps_own_secret_goes_to_no_service(stage: Stage, name: str) -> None:
    stage.secrets[name] = "canary"

    found = await stage.credentials.sign_in(a_service(credential={"secret": name}))

    assert "is the app's own" in found.problem
    assert not found.headers
    assert stage.asked == []


@pytest.mark.parametrize("value", ["", "a\r\nX-Evil: 1", "ключ"])
async def test_what_no_header_may_hold_is_not_sent(stage: Stage, value: str) -> None:
    stage.secrets["weight-key"] = value

    found = await stage.credentials.sign_in(a_service())

    assert "its key is empty, or holds what no header may hold" in found.problem
    assert not found.headers


async def test_a_key_from_azure_goes_to_the_address_that_azure_names(stage: Stage) -> None:
    found = await stage.credentials.sign_in(an_endpoint())

    assert found.headers == {"Authorization": "Bearer fake-key-1"}


@pytest.mark.parametrize(
    "url", ["https://evil.example", "https://weight.westeurope.inference.ml.azure.com:444"]
)
async def test_a_key_from_azure_goes_nowhere_else(stage: Stage, url: str) -> None:
    found = await stage.credentials.sign_in(an_endpoint(url))

    assert "Azure names another address for it" in found.problem
    assert not found.headers


async def test_a_service_that_moved_gets_its_key_at_its_new_address(stage: Stage) -> None:
    await stage.credentials.sign_in(an_endpoint())
    stage.azure.workspaces[WORKSPACE] = [found(scoring_uri="https://new.example/score")]
    stage.later()

    moved = await stage.credentials.sign_in(an_endpoint("https://new.example"))

    assert moved.headers


async def test_a_token_is_asked_for_anew_before_it_ends(stage: Stage) -> None:
    stage.azure.workspaces[WORKSPACE] = [found(SignIn.AML_TOKEN)]
    service = an_endpoint(source="token")
    first = await stage.credentials.sign_in(service)
    stage.later(timedelta(hours=7))
    same = await stage.credentials.sign_in(service)
    stage.later(timedelta(hours=2))

    later = await stage.credentials.sign_in(service)

    assert first.headers == same.headers != later.headers


async def test_what_azure_refuses_is_a_problem_without_the_key(stage: Stage) -> None:
    stage.azure.failures[ENDPOINT] = AzureRequestError("403 AuthorizationFailed", status=403)

    found = await stage.credentials.sign_in(an_endpoint())

    assert found.problem == "its key cannot be had: 403 AuthorizationFailed"


async def test_a_key_that_is_known_outlives_an_outage_of_whoever_gave_it(stage: Stage) -> None:
    stage.azure.workspaces[WORKSPACE] = [found(SignIn.AML_TOKEN)]
    service = an_endpoint(source="token")
    first = await stage.credentials.sign_in(service)
    stage.azure.failures[ENDPOINT] = AzureRequestError("503", status=503, retryable=True)
    stage.later(timedelta(hours=9))

    assert (await stage.credentials.sign_in(service)).headers == first.headers


async def test_an_unknown_address_gets_no_key(stage: Stage) -> None:
    found = await stage.credentials.sign_in(an_endpoint(None))

    assert found.problem == "its address is not known, so its key goes nowhere"
    assert stage.azure.calls == []


async def test_an_address_found_later_may_not_carry_a_key_in_the_clear(stage: Stage) -> None:
    service = an_endpoint(None).model_copy(update={"url": "http://r.example"})

    found = await stage.credentials.sign_in(service)

    assert "without allow_plain_http" in found.problem


@pytest.mark.parametrize(
    ("audience", "scope"),
    [("api://weight", "api://weight/.default"), ("api://w/.default", "api://w/.default")],
)
async def test_an_entra_token_is_for_the_audience_alone(
    stage: Stage, audience: str, scope: str
) -> None:
    service = a_service(credential={"entra_audience": audience})

    found = await stage.credentials.sign_in(service)

    assert found.headers == {"Authorization": "Bearer token-1"}
    assert stage.entra.scopes == [scope]


async def test_nothing_that_is_shown_holds_a_key(stage: Stage) -> None:
    found = await stage.credentials.sign_in(a_service())

    assert found.headers
    assert "k1" not in f"{found!r} {stage.cache!r} {stage.cache.held!r}"


@pytest.fixture
def vault(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A vault that the managed identity may read, and how to put a secret there."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.env[name])
    trust(emulator, monkeypatch)
    return Worker(emulator).store


async def test_the_managed_identity_reads_keys_of_services_by_name(
    emulator: EmulatorProcess, vault: Callable[..., None]
) -> None:
    vault("weight-key", value="from-the-vault\n")
    source = CredentialSource(vault_url=emulator.env["KEY_VAULT_URL"], vault_in_cloud_suffix=False)

    async with ServiceSecrets(source) as secrets:
        both = await asyncio.gather(secrets.get("weight-key"), secrets.get("weight-key"))
        with pytest.raises(CredentialError) as missing:
            await secrets.get("svm-key")

    assert set(both) == {"from-the-vault"}
    assert str(missing.value) == "Key Vault secret 'svm-key' does not exist"
