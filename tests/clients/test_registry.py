"""What the emulator's registry says of tags, who is told, and where tokens go."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.clients.registry import PULL, RegistryClient
from shared.errors import AzureRequestError, CredentialError, MissingRightError
from tests.support.arm_session import ArmSession, FixedToken
from tests.support.container_groups import push
from tests.support.emulator import EmulatorProcess

AUDIENCE = "https://containerregistry.azure.net"
READS_ONLY = {"service_principal": [{"actions": ["Microsoft.Resources/*"]}]}
Registry = Callable[..., RegistryClient]


def host(emulator: EmulatorProcess) -> str:
    return emulator.url.removeprefix("https://").rstrip("/")


def image(emulator: EmulatorProcess, name: str = "r/weight:1") -> str:
    return f"{host(emulator)}/{name}"


def with_images(emulator: EmulatorProcess, **seed: Any) -> None:
    emulator.seed({"images": {image(emulator): {}}, **seed})


def asked(emulator: EmulatorProcess) -> list[tuple[str, str, int]]:
    requests = emulator.requests()
    return [(each["method"], each["path"], each["status"]) for each in requests]


@pytest.fixture
def registry(session: ArmSession) -> Registry:
    """Make a client: of a registry in Azure (the emulator's host), or of somebody else's."""
    emulator = session.emulator

    def make(*, trusted: bool = True, token: str | None = "") -> RegistryClient:
        known = emulator.arm_token(AUDIENCE) if token == "" else token
        suffix = host(emulator) if trusted else ".azurecr.io"
        return RegistryClient(FixedToken(known), trusted_suffix=suffix)

    return make


async def test_a_tag_is_followed_to_where_it_was_pushed_last(
    emulator: EmulatorProcess, registry: Registry
) -> None:
    with_images(emulator)
    client = registry()
    first = emulator.state()["images"][image(emulator)]
    before = await client.digest_of(image(emulator))

    pushed = push(emulator, image(emulator), ready_seconds=1)

    assert before == first != pushed
    assert await client.digest_of(image(emulator)) == pushed


async def test_it_signs_in_as_azure_container_registry_wants_it(
    emulator: EmulatorProcess, registry: Registry
) -> None:
    with_images(emulator)
    client = registry()
    before = len(emulator.requests())

    await client.digest_of(image(emulator))

    manifest = "/v2/r/weight/manifests/1"
    assert asked(emulator)[before:] == [
        ("HEAD", manifest, 401),
        ("POST", "/oauth2/exchange", 200),
        ("POST", "/oauth2/token", 200),
        ("HEAD", manifest, 200),
    ]


@pytest.mark.parametrize("name", ["r/weight:2", "r/height:1"])
async def test_a_tag_that_is_not_there_has_no_digest(
    emulator: EmulatorProcess, registry: Registry, name: str
) -> None:
    with_images(emulator)

    assert await registry().digest_of(image(emulator, name)) is None


async def test_a_missing_right_is_named(emulator: EmulatorProcess, registry: Registry) -> None:
    with_images(emulator, access=READS_ONLY)

    with pytest.raises(MissingRightError) as raised:
        await registry().digest_of(image(emulator))

    assert raised.value.action == PULL
    assert image(emulator, "r/weight") in str(raised.value)


async def test_a_registry_outside_azure_is_never_shown_a_token(
    emulator: EmulatorProcess, registry: Registry
) -> None:
    with_images(emulator)

    with pytest.raises(AzureRequestError, match="without a credential") as raised:
        await registry(trusted=False, token=None).digest_of(image(emulator))

    assert raised.value.status == 401
    assert not [path for _, path, _ in asked(emulator) if path == "/oauth2/exchange"]


async def test_a_registry_that_is_open_to_everybody_needs_no_credential(
    emulator: EmulatorProcess, registry: Registry
) -> None:
    with_images(emulator, anonymous_pull=True)

    found = await registry(trusted=False, token=None).digest_of(image(emulator))

    assert found == emulator.state()["images"][image(emulator)]


async def test_a_credential_that_fails_is_told_as_it_is(
    emulator: EmulatorProcess, registry: Registry
) -> None:
    with_images(emulator)

    with pytest.raises(CredentialError, match="vault is locked"):
        await registry(token=None).digest_of(image(emulator))


@pytest.mark.parametrize(
    ("effect", "retryable"),
    [({"status": 503}, True), ({"status": 400}, False), ({"cut": "before_effect"}, True)],
    ids=str,
)
async def test_what_may_pass_is_told_from_what_will_not(
    emulator: EmulatorProcess,
    registry: Registry,
    effect: dict[str, Any],
    retryable: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    with_images(emulator)
    client = registry()
    emulator.fault("/oauth2/token$", method="POST", **effect)

    with pytest.raises(AzureRequestError) as raised:
        await client.digest_of(image(emulator))

    assert raised.value.retryable is retryable
    assert "eyJ" not in str(raised.value)


@pytest.mark.parametrize("reference", ["weight:1", "contoso.azurecr.io/weight", "Not an image"])
async def test_a_reference_without_registry_or_tag_is_refused(
    registry: Registry, reference: str
) -> None:
    with pytest.raises(AzureRequestError, match="names no registry and tag"):
        await registry().digest_of(reference)
