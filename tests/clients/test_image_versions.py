"""Which R an image has, as the emulator's Azure ML and registry tell it."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.clients.image_config import conda_r_version, on_docker_hub, r_version_of
from shared.clients.image_versions import ImageVersionsClient
from shared.clients.registry import PULL, RegistryClient
from shared.errors import AzureRequestError, MissingRightError
from shared.scoring.redeploy.image_reference import parse_image
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.service import Service
from tests.support.arm_session import ArmSession, FixedToken, now
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess

AUDIENCE = "https://containerregistry.azure.net"
SERVICE = Service.model_validate(
    {"name": "w", "kind": "aml-v1", "resource_id": f"{a_workspace().id}/services/weight"}
)
READS_ONLY = {"service_principal": [{"actions": ["Microsoft.MachineLearningServices/*"]}]}


def host(emulator: EmulatorProcess) -> str:
    return emulator.url.removeprefix("https://").rstrip("/")


def seed(
    emulator: EmulatorProcess,
    image: Mapping[str, Any],
    *,
    environment: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    reference = f"{host(emulator)}/r/weight:1"
    named = {"name": "r-scoring:1", **(environment or {"image": reference})}
    workspace = {"name": "mlw-churn", "assets": [named]}
    subscription = {"id": SUBSCRIPTION, "workspaces": [workspace]}
    emulator.seed({"subscriptions": [subscription], "images": {reference: image}, **more})


async def r_version(session: ArmSession, environment: str = "r-scoring:1") -> str:
    emulator = session.emulator
    registry = RegistryClient(
        FixedToken(emulator.arm_token(AUDIENCE)), trusted_suffix=host(emulator)
    )
    snapshot = Snapshot(image="", digest=None, details={"environment": environment})
    async with session.open() as arm:
        client = ImageVersionsClient(arm, configs=registry, now=now)
        return await client.r_version(SERVICE, snapshot=snapshot)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ({"variables": {"R_VERSION": "4.3.1"}}, "4.3.1"),
        ({"variables": {"R_BASE_VERSION": "4.2.0"}}, "4.2.0"),
        ({"variables": {"R_VERSION": "4.3.1"}, "is_index": True}, "4.3.1"),
        ({"labels": {"org.opencontainers.image.version": "R-4.1.3"}}, "4.1.3"),
        ({"labels": {"org.opencontainers.image.version": "22.04"}}, ""),
        ({}, ""),
    ],
)
async def test_the_image_of_the_environment_tells_its_r(
    emulator: EmulatorProcess, session: ArmSession, image: dict[str, Any], says: str
) -> None:
    seed(emulator, image)

    assert await r_version(session) == says


async def test_storage_that_a_registry_sends_on_to_sees_no_token(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"variables": {"R_VERSION": "4.3.1"}})

    await r_version(session)

    # It refuses a token beside the signature, as Azure does.
    (seen,) = [each for each in emulator.requests() if each["path"].startswith("/registry-data/")]
    assert seen["status"] == 200


async def test_the_r_of_a_conda_file_comes_before_the_images(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    conda = "dependencies:\n  - python=3.11\n  - conda-forge::r-base=4.2.3\n"
    seed(emulator, {}, environment={"image": f"{host(emulator)}/r/gone:1", "conda_file": conda})

    assert await r_version(session) == "4.2.3"


@pytest.mark.parametrize(
    ("conda", "says"),
    [
        ("dependencies:\n- r-base=4.2.3\n", "4.2.3"),
        ("dependencies:\n- r-base==4.2\n", "4.2"),
        ("dependencies:\n- r-base=4.2.3=h1\n", "4.2.3"),
        ("dependencies:\n- r-base>=4\n", ""),
        ("dependencies:\n- r-base\n", ""),
        ('dependencies:\n- "r-base = 4.2.3"\n- r-kernlab\n', "4.2.3"),
        ("dependencies:\n- r-kernlab=0.9\n- python\n", ""),
        ("dependencies:\n- rpy2\n", ""),
        ("dependencies:\n- python=3.11\n- pip:\n  - rpy2==3.5.1\n", None),
        ("", None),
    ],
)
def test_a_conda_file_has_a_fixed_r_an_open_one_or_none(conda: str, says: str | None) -> None:
    assert conda_r_version(conda) == says


@pytest.mark.parametrize(
    ("environment", "says"),
    [("", "no environment"), ("r-scoring", "no environment"), ("another:1", "404")],
)
async def test_an_environment_that_is_not_known_is_told(
    emulator: EmulatorProcess, session: ArmSession, environment: str, says: str
) -> None:
    seed(emulator, {})

    with pytest.raises(AzureRequestError, match=says):
        await r_version(session, environment)


async def test_an_image_that_is_not_in_its_registry_is_told(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {}, environment={"image": f"{host(emulator)}/r/gone:1"})

    with pytest.raises(AzureRequestError, match="r/gone: 404"):
        await r_version(session)


async def test_a_missing_right_to_pull_is_named(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {}, access=READS_ONLY)

    with pytest.raises(MissingRightError) as caught:
        await r_version(session)

    assert caught.value.action == PULL


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"schemaVersion": 2}, "/manifests/"),
        ({"config": {"digest": "../../etc", "size": 3}}, "/manifests/"),
        ({"config": {"digest": f"sha256:{'a' * 64}", "size": 2_000_000}}, "/manifests/"),
        ("no JSON", "/manifests/"),
        ("", "^/registry-data/"),
    ],
)
async def test_documents_that_make_no_sense_are_told(
    emulator: EmulatorProcess, session: ArmSession, body: Any, path: str
) -> None:
    seed(emulator, {}, anonymous_pull=True)
    emulator.fault(path, status=200, body=body, times=None)

    with pytest.raises(AzureRequestError, match="r/weight"):
        await r_version(session)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("rocker/r-ver:4.3.1", "registry-1.docker.io/rocker/r-ver"),
        ("r-base:4.3.1", "registry-1.docker.io/library/r-base"),
        ("docker.io/rocker/r-ver:4.3.1", "registry-1.docker.io/rocker/r-ver"),
        ("mcr.microsoft.com/azureml/base:1", "mcr.microsoft.com/azureml/base"),
    ],
)
def test_what_names_no_registry_is_docker_hubs(image: str, name: str) -> None:
    reference = parse_image(image)

    assert reference is not None
    assert on_docker_hub(reference).name == name


@pytest.mark.parametrize("config", [{}, {"config": None}, {"config": {"Env": None, "Labels": []}}])
def test_a_config_without_anything_says_nothing(config: dict[str, Any]) -> None:
    assert r_version_of(config) == ""
