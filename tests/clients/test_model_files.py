"""How the files of registered models begin, as the emulator's Resource Manager and storage have them."""

import base64
import bz2
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.clients.blob_beginnings import READ, ROLE
from shared.clients.model_files import ModelFilesClient
from shared.errors import AzureRequestError, CredentialError, MissingRightError
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.redeploy.rds import read_header
from shared.scoring.service import Service
from tests.support.arm_session import ArmSession, FixedToken, now
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.rds_files import in_base64, saved

AUDIENCE = "https://storage.azure.com"
SERVICE = Service.model_validate(
    {"name": "w", "kind": "aml-online", "resource_id": f"{a_workspace().id}/onlineEndpoints/weight"}
)
NOTHING = Snapshot(image="", digest=None)
WITHOUT_DATA = [{"actions": ["*"]}]
RDS = saved()


def seed(emulator: EmulatorProcess, files: Mapping[str, bytes], **access: Any) -> None:
    asset = {
        "name": "weight-lm:5",
        "files": {path: in_base64(each) for path, each in files.items()},
    }
    # Its folder begins with the other's name.
    other = {"name": "weight-lm:51", "files": {"other.rds": in_base64(RDS)}}
    workspace = {"name": "mlw-churn", "assets": [asset, other]}
    subscription = {"id": SUBSCRIPTION, "workspaces": [workspace]}
    emulator.seed({"subscriptions": [subscription], **({"access": access} if access else {})})


async def beginnings(
    session: ArmSession,
    model: str = "weight-lm:5",
    *,
    token: str | None = "",
    snapshot: Snapshot = NOTHING,
) -> dict[str, bytes] | None:
    known = session.emulator.arm_token(AUDIENCE) if token == "" else token
    async with session.open() as arm:
        client = ModelFilesClient(
            arm, credential=FixedToken(known), storage_suffix="core.windows.net", now=now
        )
        found = await client.beginnings(SERVICE, model, snapshot=snapshot)
    return None if found is None else {each.name: each.content for each in found}


def asked(emulator: EmulatorProcess) -> Sequence[Mapping[str, Any]]:
    return [each for each in emulator.requests() if each["path"].startswith("/storage/")]


async def test_the_one_file_of_a_model_is_read_and_no_more_of_it_than_its_beginning(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": RDS})

    found = await beginnings(session)

    assert found == {"model.rds": RDS[:4096]}
    assert str(read_header(found["model.rds"]).reader) == "3.5.0"
    assert [each["status"] for each in asked(emulator)] == [200, 206]


async def test_of_a_folder_all_files_that_r_reads_are_read(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    files = {
        "a/one.RDS": b"1",
        "two.RData": b"2",
        "three.rda": b"3",
        "score.R": b"4",
        "x.rds.md5": b"5",
    }
    seed(emulator, files)

    found = await beginnings(session)

    assert found == {"a/one.RDS": b"1", "two.RData": b"2", "three.rda": b"3"}


async def test_a_model_without_such_files_has_none_and_one_that_is_not_there_is_none(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.pkl": b"\x80"})

    assert await beginnings(session) == {}
    assert await beginnings(session, "weight-lm:6") is None
    assert await beginnings(session, "another:5") is None


async def test_an_empty_file_is_read_as_empty(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": b""})

    assert await beginnings(session) == {"model.rds": b""}


async def test_of_bzip2_so_much_is_read_that_the_header_can_be_told(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    packed = bz2.compress(gzip.decompress(RDS) * 20)
    seed(emulator, {"model.rds": packed})

    found = await beginnings(session)

    assert found is not None
    assert str(read_header(found["model.rds"]).writer) == "4.3.1"
    with pytest.raises(ValueError, match="saveRDS"):
        read_header(packed[:4096])


async def test_a_missing_right_to_the_data_is_named_with_its_role(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": RDS}, service_principal=WITHOUT_DATA)

    with pytest.raises(MissingRightError, match=ROLE) as caught:
        await beginnings(session)

    assert caught.value.action == READ
    assert "container azureml" in str(caught.value)


@pytest.mark.parametrize("kind", ["models", "datastores"])
async def test_a_missing_right_at_azure_ml_is_named(
    emulator: EmulatorProcess, session: ArmSession, kind: str
) -> None:
    seed(emulator, {"model.rds": RDS})
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    emulator.fault(f"/{kind}/", status=403, body=body)

    with pytest.raises(MissingRightError) as caught:
        await beginnings(session)

    assert caught.value.action == f"Microsoft.MachineLearningServices/workspaces/{kind}/read"


async def test_where_the_account_may_not_be_read_its_usual_name_is_taken_in_this_cloud_alone(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": RDS})
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    emulator.fault("/storageAccounts/", status=403, body=body)

    # The emulated datastore is in no cloud, so that nothing is sent to one from here.
    with pytest.raises(AzureRequestError, match="another cloud"):
        await beginnings(session)

    assert asked(emulator) == []


@pytest.mark.parametrize(
    ("effect", "says", "retryable"),
    [
        ({"status": 503}, "503", True),
        (
            {"status": 403, "headers": {"x-ms-error-code": "AuthorizationFailure"}},
            "403 Auth",
            False,
        ),
        ({"cut": "before_effect"}, "no answer", True),
        ({"status": 200, "body": "<html>"}, "", False),
    ],
)
async def test_what_storage_does_not_answer_is_told_without_its_address(
    emulator: EmulatorProcess,
    session: ArmSession,
    effect: dict[str, Any],
    says: str,
    *,
    retryable: bool,
) -> None:
    seed(emulator, {"model.rds": RDS})
    emulator.fault("^/storage/", times=None, **effect)

    with pytest.raises(AzureRequestError) as caught:
        await beginnings(session)

    assert says in str(caught.value)
    assert "https://" not in str(caught.value)
    assert caught.value.retryable is retryable or not says


async def test_a_credential_that_fails_is_told_as_such(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": RDS})

    with pytest.raises(CredentialError, match="the vault is locked"):
        await beginnings(session, token=None)


async def test_more_files_than_anybody_would_read_are_not_read(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {f"{number}.rds": RDS[:99] for number in range(21)})

    with pytest.raises(AzureRequestError, match="21 files"):
        await beginnings(session)

    assert [each["status"] for each in asked(emulator)] == [200]


async def test_a_model_in_a_registry_is_told_as_not_read(
    emulator: EmulatorProcess, session: ArmSession
) -> None:
    seed(emulator, {"model.rds": RDS})
    elsewhere = {"model_id": "azureml://registries/shared/models/weight-lm/versions/4"}

    with pytest.raises(AzureRequestError, match="registry of Azure ML"):
        await beginnings(session, snapshot=Snapshot(image="", digest=None, details=elsewhere))

    assert not [each for each in emulator.requests() if "/models/" in each["path"]]


def test_what_a_seed_holds_is_what_was_meant() -> None:
    assert base64.b64decode(in_base64(RDS)) == RDS
