"""The account reached with a token, as a managed identity does it; an Azurite that asks for one."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from re import findall
from time import monotonic, sleep, time
from typing import Any, Self

import jwt
import pytest
import trustme
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.storage.blob.aio import BlobServiceClient

from local_host.azurite.process import ACCOUNT, OPTIONS, SCRIPT
from local_host.node import find_node
from shared.clients.run_history import RunHistoryClient
from shared.clients.service_file import FileInBlob
from shared.clients.share_queue import ShareQueueClient
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from shared.errors import ServiceFileError, StorageUnavailableError
from tests.storage.runs import a_run
from tests.support.builders import NIGHT

LISTENING = r"Azurite (Blob|Queue|Table) service is successfully listening at (https://\S+)"
STORAGE = "https://storage.azure.com"


class Identity:
    """A managed identity: hands out tokens for a resource, and remembers the scopes asked for."""

    def __init__(self, audience: str = STORAGE) -> None:
        self.audience = audience
        self.scopes: set[str] = set()

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        token = await self.get_token_info(*scopes)
        return AccessToken(token.token, token.expires_on)

    async def get_token_info(self, *scopes: str, **_: object) -> AccessTokenInfo:
        self.scopes.update(scopes)
        now = int(time())
        claims: dict[str, Any] = {
            "aud": self.audience,
            "iss": "https://sts.windows.net/2f6d1f4c-6b1e-4f0e-9a57-0d5b5f1f7c11/",
            "iat": now,
            "nbf": now - 300,
            "exp": now + 3600,
        }
        token = jwt.encode(claims, "nobody checks this signature, says Azurite", "HS256")
        return AccessTokenInfo(token, claims["exp"])

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Endpoints, by service, of an Azurite that speaks TLS and believes tokens."""
    folder = tmp_path_factory.mktemp("azurite")
    authority = trustme.CA()
    pair = authority.issue_cert("127.0.0.1")
    pair.private_key_pem.write_to_path(folder / "key.pem")
    pair.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with pytest.MonkeyPatch.context() as patch, _azurite(folder) as urls:
        # aiohttp makes its context when it is imported, which an earlier test did.
        patch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        yield {service: f"{url}/{ACCOUNT}" for service, url in urls.items()}


@contextmanager
def _azurite(folder: Path) -> Iterator[dict[str, str]]:
    node, log = find_node(), folder / "log"
    assert node is not None
    tls = ("--oauth", "basic", "--cert", "cert.pem", "--key", "key.pem")
    command = (*node.node, str(SCRIPT), *OPTIONS, "--inMemoryPersistence", *tls)
    with log.open("wb") as output, subprocess.Popen(command, cwd=folder, stdout=output) as process:
        try:
            deadline = monotonic() + 30
            while len(urls := dict(findall(LISTENING, log.read_text("utf-8")))) < 3:
                assert process.poll() is None
                assert monotonic() < deadline
                sleep(0.05)
            yield urls
        finally:
            process.terminate()


def an_account(endpoints: dict[str, str], identity: Identity) -> StorageAccount:
    return StorageAccount(
        table_endpoint=endpoints["Table"], queue_endpoint=endpoints["Queue"], credential=identity
    )


async def test_tables_and_queue_take_the_identitys_token(endpoints: dict[str, str]) -> None:
    identity = Identity()
    account, run = an_account(endpoints, identity), a_run()
    async with RunHistoryClient(account) as history, ShareQueueClient(account) as shares:
        await history.open_run(run, orders={})
        await shares.send(run.run_id, run.shares[0])

        assert await history.get_run(run.run_id) == run
    assert identity.scopes == {f"{STORAGE}/.default"}


# azure-data-tables 12.7 asks an XML element for its truth, which Python 3.12 and later warn of.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
async def test_a_token_for_something_else_is_unavailable_storage(
    endpoints: dict[str, str],
) -> None:
    account = an_account(endpoints, Identity("https://management.azure.com"))
    async with StopClaimsClient(account) as claims, ShareQueueClient(account) as shares:
        with pytest.raises(StorageUnavailableError, match=r"^table ComputeStopClaims: 40[13] \w+$"):
            await claims.claim("ci", None, run_id="run", now=NIGHT)
        with pytest.raises(StorageUnavailableError, match=r"^queue compute-shares: 40[13] \w+$"):
            await shares.send("run", "one")


async def test_a_blob_takes_the_identitys_token(endpoints: dict[str, str]) -> None:
    identity = Identity()
    url = f"{endpoints['Blob']}/config/services.yaml"
    async with BlobServiceClient(endpoints["Blob"], credential=identity) as service:
        container = await service.create_container("config")
        await container.upload_blob("services.yaml", b"version: 1")

    async with FileInBlob(an_account(endpoints, identity), url) as file:
        found = await file.read(known_version="")

    assert found is not None
    assert found.text == "version: 1"
    assert identity.scopes == {f"{STORAGE}/.default"}


async def test_a_blob_that_the_identity_may_not_read_is_an_error_without_its_token(
    endpoints: dict[str, str],
) -> None:
    account = an_account(endpoints, Identity("https://management.azure.com"))
    async with FileInBlob(account, f"{endpoints['Blob']}/config/other.yaml") as file:
        with pytest.raises(ServiceFileError, match=r"cannot be read: .* 40[13] \w+$") as refused:
            await file.read(known_version="")

    assert "eyJ" not in str(refused.value)
