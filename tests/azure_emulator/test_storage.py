"""Blobs of registered models, asked for by hand as the Blob service is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, estate
from tests.support.emulator import EmulatorProcess
from tests.support.rds_files import in_base64
from tests.support.wire import Reply

AUDIENCE = "https://storage.azure.com"
BLOB = "LocalUpload/weight-lm/5/model.rds"
LIST = "?restype=container&comp=list"
FILES = {"model.rds": in_base64(b"0123456789")}
WITHOUT_DATA = {"access": {"service_principal": [{"actions": ["*"]}]}}
ARTIFACTS = f"/artifact/v2.0{WORKSPACE}/artifacts/contentinfo"


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The account of a workspace that has one model of one file."""

    emulator: EmulatorProcess

    @property
    def container(self) -> str:
        path = f"{WORKSPACE}/datastores/workspaceartifactstore"
        store = self.emulator.arm("GET", path, token=self.emulator.arm_token()).json()
        found = store["properties"]
        return f"/storage/{found['accountName']}/{found['containerName']}"

    def get(
        self, target: str, *, method: str = "GET", audience: str = AUDIENCE, **more: str
    ) -> Reply:
        token = self.emulator.arm_token(audience) if audience else ""
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {"x-ms-version": "2024-11-04", **signed, **more}
        return self.emulator.wire.send(method, f"{self.container}{target}", headers=sent)


@pytest.fixture
def storage(emulator: EmulatorProcess) -> Storage:
    emulator.seed(estate(assets=[{"name": "weight-lm:5", "files": FILES}]))
    return Storage(emulator=emulator)


@pytest.mark.parametrize(
    ("wanted", "status", "body", "told"),
    [
        ({}, 200, b"0123456789", None),
        ({"Range": "bytes=0-3"}, 206, b"0123", "bytes 0-3/10"),
        ({"x-ms-range": "bytes=4-4095"}, 206, b"456789", "bytes 4-9/10"),
        ({"x-ms-range": "bytes=0-1", "Range": "bytes=5-6"}, 206, b"01", "bytes 0-1/10"),
        ({"Range": "bytes=8-"}, 206, b"89", "bytes 8-9/10"),
    ],
)
def test_a_blob_is_read_as_a_whole_or_in_part(
    storage: Storage, wanted: Mapping[str, str], status: int, body: bytes, told: str | None
) -> None:
    answer = storage.get(f"/{BLOB}", **wanted)

    assert (answer.status, answer.body) == (status, body)
    assert answer.headers.get("content-range") == told
    assert answer.headers["x-ms-version"] == "2024-11-04"
    assert answer.headers["x-ms-blob-type"] == "BlockBlob"


def test_properties_tell_the_length_without_the_content(storage: Storage) -> None:
    answer = storage.get(f"/{BLOB}", method="HEAD")

    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "10")


@pytest.mark.parametrize(
    ("target", "more", "status", "code"),
    [
        ("/LocalUpload/weight-lm/6/model.rds", {}, 404, "BlobNotFound"),
        (f"/{BLOB}", {"Range": "bytes=10-20"}, 416, "InvalidRange"),
        (f"/{BLOB}", {"audience": ""}, 401, "NoAuthenticationInformation"),
        (f"/{BLOB}", {"audience": "https://vault.azure.net"}, 401, "InvalidAuthenticationInfo"),
        ("", {}, 404, "ResourceNotFound"),
    ],
)
def test_a_refusal_is_xml_with_its_code_in_a_header_too(
    storage: Storage, target: str, more: dict[str, str], status: int, code: str
) -> None:
    answer = storage.get(target, **more)

    assert (answer.status, answer.headers["x-ms-error-code"]) == (status, code)
    assert f"<Code>{code}</Code>" in answer.body.decode("utf-8-sig")
    assert (status == 401) == ("www-authenticate" in answer.headers)


def test_rights_on_resources_open_no_data(storage: Storage) -> None:
    storage.emulator.seed(estate(assets=[{"name": "weight-lm:5", "files": FILES}]) | WITHOUT_DATA)

    answer = storage.get(f"/{BLOB}")

    told = (answer.status, answer.headers["x-ms-error-code"])
    assert told == (403, "AuthorizationPermissionMismatch")


def test_blobs_are_listed_by_prefix_folder_and_page(storage: Storage) -> None:
    files = {f"m/{letter}.rds": "" for letter in "abc"}
    storage.emulator.seed(estate(assets=[{"name": "weight-lm:5", "files": files}]))

    page = storage.get(f"{LIST}&prefix=LocalUpload/weight-lm/5/m/&maxresults=2").body.decode()
    folders = storage.get(f"{LIST}&prefix=LocalUpload/&delimiter=/").body.decode()
    none = storage.get(f"{LIST}&prefix=elsewhere").body.decode()

    following = "LocalUpload/weight-lm/5/m/c.rds"
    assert (page.count("<Blob>"), f"<NextMarker>{following}</NextMarker>" in page) == (2, True)
    rest = storage.get(f"{LIST}&marker={following}").body.decode()
    assert (rest.count("<Blob>"), "<NextMarker></NextMarker>" in rest) == (1, True)
    assert "<BlobPrefix><Name>LocalUpload/weight-lm/</Name></BlobPrefix>" in folders
    assert (folders.count("<Blob>"), none.count("<Blob>")) == (0, 0)


def test_a_signed_url_of_an_artifact_opens_its_container_and_no_other_signature_does(
    storage: Storage,
) -> None:
    emulator = storage.emulator
    token = {"Authorization": f"Bearer {emulator.arm_token()}"}
    told: Any = emulator.wire.send("GET", f"{ARTIFACTS}/{BLOB}", headers=token).json()
    signed = told["contentUri"]

    assert emulator.wire.send("GET", signed).body == b"0123456789"
    assert emulator.wire.send("GET", signed[:-4] + "0000").status == 403
    assert emulator.wire.send("GET", signed[:-4] + "%C3%A9").status == 403
    assert emulator.wire.send("GET", signed.replace("se=2", "se=3")).status == 403
    queries = [each["query"] for each in emulator.requests() if "/storage/" in each["path"]]
    assert queries
    assert not [query for query in queries if signed.rpartition("sig=")[2] in query]
