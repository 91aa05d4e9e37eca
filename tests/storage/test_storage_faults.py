"""Storage that fails: one error, in bounded time, which says nothing that is secret."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from time import monotonic
from typing import Self

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.identity import CredentialUnavailableError

from local_host.azurite.process import Azurite
from shared.clients.cluster_minimums import ClusterMinimumsClient
from shared.clients.exemption_store import ExemptionStoreClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.share_queue import ShareQueueClient
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from shared.compute.report import Result
from shared.errors import StorageUnavailableError
from tests.storage.faulty import BUSY, Effect, Fate, before_tables, faulty
from tests.storage.runs import a_run
from tests.storage.test_cluster_minimums import a_minimum
from tests.storage.test_exemption_store import an_exemption
from tests.support.azurite import without
from tests.support.builders import LONG_AGO, NIGHT
from tests.support.odd_server import http

KEY = "Y2FuYXJ5LWtleS10aGF0LW11c3Qtbm90LWxlYWstMTIzNDU2Nzg5MA=="
SIGNATURE = "sig=canary%2Fsignature%3D1234567890"
NOWHERE = "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
SHORT = {"attempt_seconds": 0.2, "call_seconds": 0.5}


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Every client on one account."""

    history: RunHistoryClient
    claims: StopClaimsClient
    exemptions: ExemptionStoreClient
    minimums: ClusterMinimumsClient
    queue: ShareQueueClient

    @property
    def calls(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """One call of each port, reads and writes, whose answer would matter."""
        run = a_run("one")
        return {
            "open_run": lambda: self.history.open_run(run, orders={}),
            "get_run": lambda: self.history.get_run(run.run_id),
            "list_runs": self.history.list_runs,
            "finish_share": lambda: self.history.finish_share(run.run_id, "one", found=b"x"),
            "close_run": lambda: self.history.close_run(
                run.run_id, result=Result.FAILED, summary=""
            ),
            "claim": lambda: self.claims.claim("ci", LONG_AGO, run_id="run", now=NIGHT),
            "claim together": self.claim_together,
            "get": lambda: self.exemptions.get("thesis"),
            "create": lambda: self.exemptions.create(an_exemption()),
            "remember": lambda: self.minimums.remember(a_minimum()),
            "send": lambda: self.queue.send("run", "one"),
        }

    async def claim_together(self) -> None:
        names = (f"/subscriptions/other/ci-{number}" for number in range(3))
        claiming = (self.claims.claim(name, LONG_AGO, run_id="run", now=NIGHT) for name in names)
        ended = await asyncio.gather(*claiming, return_exceptions=True)
        errors = [each for each in ended if isinstance(each, StorageUnavailableError)]
        assert len(errors) == len(ended)
        raise errors[-1]

    async def failures(self) -> dict[str, StorageUnavailableError]:
        """Call everything at once; everything has to fail."""
        calls = self.calls
        made = await asyncio.gather(*(_failure(call) for call in calls.values()))
        return dict(zip(calls, made, strict=True))


async def _failure(call: Callable[[], Awaitable[object]]) -> StorageUnavailableError:
    with pytest.raises(StorageUnavailableError) as raised:
        await call()
    return raised.value


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[StorageAccount], Awaitable[Clients]]]:
    async with AsyncExitStack() as stack:

        async def of(account: StorageAccount) -> Clients:
            enter = stack.enter_async_context
            return Clients(
                history=await enter(RunHistoryClient(account)),
                claims=await enter(StopClaimsClient(account)),
                exemptions=await enter(ExemptionStoreClient(account)),
                minimums=await enter(ClusterMinimumsClient(account)),
                queue=await enter(ShareQueueClient(account)),
            )

        yield of


Opened = Callable[[StorageAccount], Awaitable[Clients]]


def an_account(url: str, **limits: float) -> StorageAccount:
    """An account whose tables and queues are at a URL; its key is a canary."""
    account = StorageAccount(
        connection_string=f"AccountName=devstoreaccount1;AccountKey={KEY};"
        f"TableEndpoint={url};QueueEndpoint={url}"
    )
    return replace(account, **limits)  # type: ignore[arg-type]


def signed(url: str, **limits: float) -> StorageAccount:
    """The same, with a shared access signature."""
    account = StorageAccount(
        connection_string=f"TableEndpoint={url};QueueEndpoint={url};"
        f"SharedAccessSignature=sv=2024-11-04&{SIGNATURE}"
    )
    return replace(account, **limits)  # type: ignore[arg-type]


async def test_a_refused_connection_is_unavailable_storage(
    azurite: Azurite, opened: Opened
) -> None:
    clients = await opened(StorageAccount(connection_string=without(azurite, "Table", "Queue")))

    began = monotonic()
    failures = await clients.failures()

    assert monotonic() - began < 8
    assert str(failures["claim"]) == "table ComputeStopClaims: no answer: ClientConnectorError"
    assert str(failures["send"]) == "queue compute-shares: no answer: ClientConnectorError"


async def test_a_busy_service_is_asked_a_few_times(opened: Opened) -> None:
    async with faulty() as storage:
        storage.fates = [BUSY]
        clients = await opened(an_account(storage.url))

        began = monotonic()
        failures = await clients.failures()

        assert monotonic() - began < 8
        assert str(failures["get_run"]) == "table ComputeRuns: 503 ServerBusy"
        assert str(failures["send"]) == "queue compute-shares: 503 ServerBusy"
        assert len(storage.requests) == 4 * len(failures)


async def test_a_busy_service_that_recovers_is_no_failure(azurite: Azurite, table: str) -> None:
    async with faulty(azurite.table_endpoint) as storage:
        account = before_tables(azurite, storage)
        async with StopClaimsClient(account, table=table) as claims:
            storage.fates = [BUSY, Effect.CUT, Effect.FORWARD]

            claim = await claims.claim("ci", LONG_AGO, run_id="run", now=NIGHT)

    assert claim.granted


async def test_silence_ends_in_time_and_says_what_was_known(opened: Opened) -> None:
    async with faulty() as storage:
        storage.fates = [Effect.HANG]
        clients = await opened(an_account(storage.url, **SHORT))

        began = monotonic()
        failures = await clients.failures()

    assert monotonic() - began < 3
    assert str(failures["get"]).startswith("table ComputeExemptions: not done within 0.5 s (no")


async def test_while_claims_are_away_nobody_waits_for_them_again(
    azurite: Azurite, table: str
) -> None:
    async with faulty(azurite.table_endpoint) as storage:
        account = replace(before_tables(azurite, storage), **SHORT)  # type: ignore[arg-type]
        async with StopClaimsClient(account, table=table, hold_seconds=3.0) as claims:
            storage.fates = [Effect.HANG]
            first = await _failure(lambda: claims.claim("ci", None, run_id="run", now=NIGHT))
            asked, began = len(storage.requests), monotonic()

            second = await _failure(lambda: claims.claim("ci", None, run_id="run", now=NIGHT))

            assert (str(second), len(storage.requests)) == (str(first), asked)
            storage.fates = [Effect.FORWARD]
            while not await _granted(claims):
                assert monotonic() - began < 30
                await asyncio.sleep(0.05)


async def _granted(claims: StopClaimsClient) -> bool:
    try:
        return (await claims.claim("ci", LONG_AGO, run_id="run", now=NIGHT)).granted
    except StorageUnavailableError:
        return False


ODD: dict[str, Fate] = {
    "busy": BUSY,
    "cut": Effect.CUT,
    "silence": Effect.HANG,
    "forbidden": http("{}", status=403, x_ms_error_code="AuthorizationPermissionMismatch"),
    "not about the entity": http("<html>no such site</html>", status=404),
    "bad request": http("{}", status=400, x_ms_error_code="InvalidInput"),
    "a page": http("<html>welcome</html>", Content_Type="text/html"),
    "broken JSON": http('{"value": [', Content_Type="application/json"),
    "a redirect": http("", status=307, Location="https://127.0.0.1:1/elsewhere"),
    "no HTTP": b"hello\r\n\r\n",
    "half an answer": b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"value": ',
    "an unknown error": http("[7]", status=500, Content_Type="application/json"),
}


@pytest.mark.parametrize("fate", [pytest.param(odd, id=name) for name, odd in ODD.items()])
async def test_an_odd_answer_is_unavailable_storage_without_a_secret_in_errors_or_logs(
    opened: Opened, caplog: pytest.LogCaptureFixture, fate: Fate
) -> None:
    caplog.set_level(logging.DEBUG)
    async with faulty() as storage:
        storage.fates = [fate]
        accounts = (an_account(storage.url, **SHORT), signed(storage.url, **SHORT))
        clients = [await opened(account) for account in accounts]

        failures = await asyncio.gather(*(each.failures() for each in clients))

    errors = [error for each in failures for error in each.values()]
    assert all(str(error).startswith(("table Compute", "queue compute-")) for error in errors)
    assert not [error for error in errors if _leaks(error, f"{caplog.text}{accounts}")]


def _leaks(error: BaseException, log: str) -> bool:
    said = "".join(traceback.format_exception(error)) + log
    return "canary" in said or KEY in said


# azure-data-tables 12.7 asks an XML element for its truth, which Python 3.12 and later warn of.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
async def test_a_wrong_key_is_named_by_azures_code(azurite: Azurite, opened: Opened) -> None:
    endpoints = f"TableEndpoint={azurite.table_endpoint};QueueEndpoint={azurite.queue_endpoint}"
    clients = await opened(
        StorageAccount(
            connection_string=f"AccountName=devstoreaccount1;AccountKey={KEY};{endpoints}"
        )
    )

    failures = await clients.failures()

    assert str(failures["create"]) == "table ComputeExemptions: 403 AuthorizationFailure"
    assert str(failures["send"]).startswith("queue compute-shares: 403 ")


@pytest.mark.parametrize(
    "account",
    [
        StorageAccount(),
        StorageAccount(connection_string="UseDevelopmentStorage"),
        StorageAccount(connection_string=f"AccountName=a;AccountKey=abcde;{NOWHERE}"),
        StorageAccount(connection_string=f"AccountKey=YQ==;{NOWHERE}"),
        StorageAccount(table_endpoint="https://127.0.0.1:1", queue_endpoint="https://127.0.0.1:1"),
    ],
    ids=["nothing", "no string", "no key", "no account", "no credential"],
)
async def test_an_account_that_is_none_is_unavailable_storage(
    opened: Opened, account: StorageAccount
) -> None:
    clients = await opened(account)

    failures = await clients.failures()

    assert len(failures) == len(clients.calls)


class NoIdentity:
    """A credential where there is no managed identity."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        raise CredentialUnavailableError("canary: no managed identity endpoint found")

    async def get_token_info(self, *_: str, **__: object) -> AccessTokenInfo:
        raise CredentialUnavailableError("canary: no managed identity endpoint found")

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def test_a_credential_that_fails_is_unavailable_storage(opened: Opened) -> None:
    clients = await opened(
        StorageAccount(
            table_endpoint="https://127.0.0.1:1",
            queue_endpoint="https://127.0.0.1:1",
            credential=NoIdentity(),
        )
    )

    failures = await clients.failures()

    assert not [each for each in failures.values() if _leaks(each, "")]
    assert str(failures["get"]).endswith("no answer: CredentialUnavailableError")
