"""The file of services, read from the app's folder and from a blob: when it changed, and whole."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob.aio import BlobServiceClient

from local_host.azurite.process import Azurite
from shared.clients.service_file import FileInApp, FileInBlob, in_blob
from shared.clients.storage import StorageAccount
from shared.errors import ServiceFileError
from shared.scoring.catalogue_source import ServiceFile
from shared.scoring.document import MAX_BYTES
from tests.support.fake_catalogue import FakeServiceFile


@dataclass
class Stage:
    """A file and how to change it; None deletes it."""

    file: ServiceFile
    write: Callable[[bytes | None], Awaitable[None]]


def in_app(folder: Path) -> Stage:
    async def write(data: bytes | None) -> None:
        path = folder / "services.yaml"
        if data is None:
            path.unlink()
            return
        path.write_bytes(data)
        # Two writes within one tick of the file system's clock are two versions all the same.
        write.ticks += 1  # type: ignore[attr-defined]  # a counter of its own
        os.utime(path, ns=(write.ticks * 10**9,) * 2)  # type: ignore[attr-defined]  # likewise

    write.ticks = 0  # type: ignore[attr-defined]  # likewise
    return Stage(file=FileInApp(folder, "services.yaml"), write=write)


def in_memory() -> Stage:
    file = FakeServiceFile(text=None)

    async def write(data: bytes | None) -> None:
        file.write(None if data is None else data.decode())

    return Stage(file=file, write=write)


@pytest.fixture
async def container(azurite: Azurite) -> str:
    name = f"c-{uuid4().hex}"
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        await service.create_container(name)
    return f"{azurite.blob_endpoint}/{name}"


@pytest.fixture(params=["app", "blob", "memory"])
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, container: str, account: StorageAccount
) -> AsyncIterator[Stage]:
    if request.param != "blob":
        yield in_app(tmp_path) if request.param == "app" else in_memory()
        return
    url = f"{container}/r%20services/list.yaml"
    async with (
        BlobServiceClient.from_connection_string(
            account.connection_string, max_single_put_size=100_000, max_block_size=100_000
        ) as service,
        FileInBlob(account, url) as file,
    ):
        blob = service.get_blob_client(container.rpartition("/")[2], "r services/list.yaml")

        async def write(data: bytes | None) -> None:
            if data is None:
                await blob.delete_blob()
                return
            await blob.upload_blob(BytesIO(data), length=len(data), overwrite=True)

        yield Stage(file=file, write=write)


async def test_a_file_is_read_as_it_was_written(stage: Stage) -> None:
    await stage.write("version: 1 # größer\n".encode())

    found = await stage.file.read(known_version="")

    assert found is not None
    assert found.text == "version: 1 # größer\n"
    assert found.version


async def test_a_file_that_did_not_change_is_not_read_again(stage: Stage) -> None:
    await stage.write(b"a: 1")
    first = await stage.file.read(known_version="")
    assert first is not None

    assert await stage.file.read(known_version=first.version) is None

    await stage.write(b"a: 2")
    second = await stage.file.read(known_version=first.version)
    assert second is not None
    assert second.text == "a: 2"
    assert second.version != first.version


async def test_a_file_that_is_not_there_is_an_error_that_names_it(stage: Stage) -> None:
    with pytest.raises(ServiceFileError) as missing:
        await stage.file.read(known_version="")

    assert stage.file.source in str(missing.value)


async def test_a_deleted_file_is_an_error_even_if_it_was_known(stage: Stage) -> None:
    await stage.write(b"a: 1")
    first = await stage.file.read(known_version="")
    await stage.write(None)

    assert first is not None
    with pytest.raises(ServiceFileError):
        await stage.file.read(known_version=first.version)


@pytest.mark.parametrize("stage", ["app", "blob"], indirect=True)
async def test_no_more_than_the_cap_is_read(stage: Stage) -> None:
    await stage.write(b"#" * (MAX_BYTES + 5))

    with pytest.raises(ServiceFileError, match="is larger than"):
        await stage.file.read(known_version="")


@pytest.mark.parametrize("stage", ["app", "blob"], indirect=True)
async def test_an_empty_file_is_read_as_such(stage: Stage) -> None:
    await stage.write(b"")

    found = await stage.file.read(known_version="")

    assert found is not None
    assert found.text == ""


@pytest.mark.parametrize("stage", ["app", "blob"], indirect=True)
async def test_what_is_no_text_is_refused(stage: Stage) -> None:
    await stage.write(b"\xff\xfe\x00")

    with pytest.raises(ServiceFileError, match="is not UTF-8"):
        await stage.file.read(known_version="")


@pytest.mark.parametrize("stage", ["app", "blob"], indirect=True)
async def test_a_byte_order_mark_is_no_part_of_the_text(stage: Stage) -> None:
    await stage.write(b"\xef\xbb\xbfa: 1")

    found = await stage.file.read(known_version="")

    assert found is not None
    assert found.text == "a: 1"


@pytest.mark.parametrize("path", ["../secret.yaml", "link.yaml", "folder"])
async def test_no_path_leads_out_of_the_app(tmp_path: Path, path: str) -> None:
    root = tmp_path / "app"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("canary")
    (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")

    with pytest.raises(ServiceFileError) as refused:
        await FileInApp(root, path).read(known_version="")

    assert "canary" not in str(refused.value)


async def test_a_blob_of_an_account_that_does_not_answer_is_an_error() -> None:
    nowhere = StorageAccount(
        connection_string="DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        "AccountKey=Y2FuYXJ5;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;"
    )
    url = "http://127.0.0.1:1/devstoreaccount1/config/services.yaml"
    async with FileInBlob(nowhere, url) as file:
        with pytest.raises(ServiceFileError) as failed:
            await file.read(known_version="")

    assert failed.value.retryable
    assert "Y2FuYXJ5" not in str(failed.value)


async def test_a_key_of_the_wrong_account_is_refused_by_name_of_the_error(
    azurite: Azurite, container: str
) -> None:
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=Eby9")
    async with FileInBlob(StorageAccount(connection_string=wrong), f"{container}/a.yaml") as file:
        with pytest.raises(ServiceFileError) as failed:
            await file.read(known_version="")

    assert "403 Auth" in str(failed.value)
    assert "Eby9" not in str(failed.value)


@pytest.mark.parametrize(("setting", "blob"), [("a/b.yaml", False), ("https://a/b/c", True)])
def test_a_blob_is_told_from_a_path(setting: str, *, blob: bool) -> None:
    assert in_blob(setting) is blob
