"""What every implementation of the ports to models and their images does: the clients, and the fakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from shared.clients.image_versions import ImageVersionsClient
from shared.clients.model_files import ModelFilesClient
from shared.clients.registry import RegistryClient
from shared.errors import AzureRequestError
from shared.scoring.redeploy.model_looks import Beginning, ImageVersions, ModelFiles
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.service import Service
from tests.support.arm_session import ArmSession, FixedToken, now
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.fake_models import FakeImageVersions, FakeModelFiles
from tests.support.rds_files import in_base64, saved

SERVICE = Service.model_validate(
    {"name": "w", "kind": "aml-online", "resource_id": f"{a_workspace().id}/onlineEndpoints/weight"}
)
RUNS = Snapshot(image="", digest=None, details={"environment": "r-scoring:1"})
RDS = saved()
Files = Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Estate:
    """A workspace; `has` gives `weight-lm:5` its files and the image its R, `away` shuts both off."""

    files: ModelFiles
    images: ImageVersions
    has: Callable[[Files, str], None]
    away: Callable[[], None]

    async def beginnings(self, model: str = "weight-lm:5") -> dict[str, bytes] | None:
        found = await self.files.beginnings(SERVICE, model, snapshot=RUNS)
        return None if found is None else {each.name: each.content for each in found}


def a_fake() -> Estate:
    files, images = FakeModelFiles(), FakeImageVersions()

    def has(model: Files, r_version: str) -> None:
        files.models, images.says = {"weight-lm:5": model}, r_version

    def away() -> None:
        files.trouble = images.trouble = AzureRequestError("503", status=503, retryable=True)

    return Estate(files=files, images=images, has=has, away=away)


def clients(session: ArmSession) -> Estate:
    emulator = session.emulator
    host = emulator.url.removeprefix("https://").rstrip("/")

    def has(model: Files, r_version: str) -> None:
        image = f"{host}/r/weight:1"
        files = {path: in_base64(content) for path, content in model.items()}
        assets = [{"name": "weight-lm:5", "files": files}, {"name": "r-scoring:1", "image": image}]
        workspace = {"name": "mlw-churn", "assets": assets}
        subscription = {"id": SUBSCRIPTION, "workspaces": [workspace]}
        variables = {"variables": {"R_VERSION": r_version}} if r_version else {}
        emulator.seed({"subscriptions": [subscription], "images": {image: variables}})

    def away() -> None:
        for path in ("^/storage/", "^/v2/"):
            emulator.fault(path, status=503, times=None)

    return Estate(files=_Session(session), images=_Session(session), has=has, away=away)


@dataclass(frozen=True)
class _Session:
    """The clients, with a connection for each question."""

    session: ArmSession

    async def beginnings(
        self, service: Service, model: str, *, snapshot: Snapshot
    ) -> Sequence[Beginning] | None:
        token = FixedToken(self.session.emulator.arm_token("https://storage.azure.com"))
        async with self.session.open() as arm:
            client = ModelFilesClient(arm, credential=token, storage_suffix="none.test", now=now)
            return await client.beginnings(service, model, snapshot=snapshot)

    async def r_version(self, service: Service, *, snapshot: Snapshot) -> str:
        emulator = self.session.emulator
        token = FixedToken(emulator.arm_token("https://containerregistry.azure.net"))
        host = emulator.url.removeprefix("https://").rstrip("/")
        async with self.session.open() as arm:
            configs = RegistryClient(token, trusted_suffix=host)
            client = ImageVersionsClient(arm, configs=configs, now=now)
            return await client.r_version(service, snapshot=snapshot)


@pytest.fixture(params=["clients", "fakes"])
def estate(request: pytest.FixtureRequest) -> Estate:
    return a_fake() if request.param == "fakes" else clients(request.getfixturevalue("session"))


async def test_files_of_r_are_read_by_their_names_as_far_as_headers_go(estate: Estate) -> None:
    estate.has({"m/a.rds": RDS, "m/b.RData": b"short", "m/score.R": b"1"}, "4.3.1")

    assert await estate.beginnings() == {"m/a.rds": RDS[:4096], "m/b.RData": b"short"}


async def test_a_lone_file_has_its_own_name(estate: Estate) -> None:
    estate.has({"model.rds": RDS}, "4.3.1")

    assert await estate.beginnings() == {"model.rds": RDS[:4096]}


async def test_no_files_of_r_is_something_else_than_no_model(estate: Estate) -> None:
    estate.has({"model.pkl": b"1"}, "4.3.1")

    assert await estate.beginnings() == {}
    assert await estate.beginnings("weight-lm:6") is None


@pytest.mark.parametrize("r_version", ["4.3.1", ""])
async def test_an_image_says_its_r_or_nothing(estate: Estate, r_version: str) -> None:
    estate.has({}, r_version)

    assert await estate.images.r_version(SERVICE, snapshot=RUNS) == r_version


async def test_what_is_away_is_an_error_of_azures(estate: Estate) -> None:
    estate.has({"model.rds": RDS}, "4.3.1")
    estate.away()

    with pytest.raises(AzureRequestError):
        await estate.beginnings()
    with pytest.raises(AzureRequestError):
        await estate.images.r_version(SERVICE, snapshot=RUNS)
