"""Reading from ARM: pages, retries of what may succeed later, and an end in bounded time."""

import asyncio
import time
from typing import Any

import pytest

from shared.clients.pacer import BucketSize, Operation, Pacer
from shared.errors import AzureRequestError, CredentialError
from tests.conftest import StartEmulator
from tests.support.arm_session import HANGS, ArmSession, trust, until, within
from tests.support.pace import BUSY_SECONDS

SUBSCRIPTIONS = "/subscriptions"
WORKSPACES = "/providers/Microsoft.MachineLearningServices/workspaces"
PRODUCTION = "/subscriptions/8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40"


async def list_subscriptions(session: ArmSession, *, seconds: float = 30) -> list[dict[str, Any]]:
    async with session.open() as arm:
        return list(await arm.list(SUBSCRIPTIONS, deadline=within(seconds)))


async def failure(session: ArmSession, *, seconds: float = 30) -> AzureRequestError:
    with pytest.raises(AzureRequestError) as raised:
        await list_subscriptions(session, seconds=seconds)
    return raised.value


async def test_a_collection_is_read_to_its_last_page(session: ArmSession) -> None:
    path = f"{PRODUCTION}/resourceGroups/rg-ds-prod{WORKSPACES}/mlw-churn/computes"

    async with session.open() as arm:
        computes = await arm.list(path, deadline=within(30))

    assert [each["name"] for each in computes] == [
        "ci-ada",
        "ci-bob-gpu",
        "ci-nightly-report",
        "cpu-cluster",
    ]
    assert len(session.seen("/computes")) == 2


async def test_every_request_names_our_api_version(session: ArmSession) -> None:
    await list_subscriptions(session)

    assert all("api-version=2025-12-01" in each["query"] for each in session.seen(SUBSCRIPTIONS))


async def test_the_rest_of_a_next_link_is_followed_as_it_is(session: ArmSession) -> None:
    link = f"{session.emulator.url}/subscriptions?api-version=2099-01-01&$skip=a%2Bb%20c&empty="
    first = {"value": [], "nextLink": link}
    session.emulator.fault("/subscriptions$", status=200, body=first)

    await list_subscriptions(session)

    followed = session.seen(SUBSCRIPTIONS)[1]["query"]
    assert followed == "$skip=a%2Bb+c&empty=&api-version=2025-12-01"


@pytest.mark.parametrize("status", [408, 500, 503])
async def test_a_read_that_may_succeed_later_is_tried_again(
    session: ArmSession, status: int
) -> None:
    session.emulator.fault("/subscriptions$", status=status)

    assert len(await list_subscriptions(session)) == 2


@pytest.mark.parametrize("cut", ["before_effect", "after_effect", "mid_body"])
async def test_a_read_whose_connection_was_cut_is_tried_again(
    session: ArmSession, cut: str
) -> None:
    session.emulator.fault("/subscriptions$", cut=cut)

    assert len(await list_subscriptions(session)) == 2


async def test_a_read_that_was_answered_with_half_a_document_is_tried_again(
    session: ArmSession,
) -> None:
    session.emulator.fault("/subscriptions$", malformed_json=True)

    assert len(await list_subscriptions(session)) == 2


@pytest.mark.parametrize("retry_after", ["0", "1", "Fri, 31 Dec 1999 23:59:59 GMT"])
async def test_a_throttled_read_waits_and_is_tried_again(
    session: ArmSession, retry_after: str
) -> None:
    headers = {"Retry-After": retry_after}
    session.emulator.fault("/subscriptions$", status=429, headers=headers)
    began = time.monotonic()

    found = await list_subscriptions(session)

    assert len(found) == 2
    assert time.monotonic() - began > (0.9 if retry_after == "1" else 0)
    assert (Operation.READS, True) in session.answers


async def test_throttling_without_an_end_ends_at_the_deadline(session: ArmSession) -> None:
    session.emulator.fault("/subscriptions$", status=429, headers={"Retry-After": "0"}, times=None)
    began = time.monotonic()

    error = await failure(session, seconds=2)

    assert time.monotonic() - began < 2 + BUSY_SECONDS
    assert (error.status, error.retryable) == (429, True)
    assert len(session.seen(SUBSCRIPTIONS)) < 10


async def test_a_wait_that_ends_after_the_deadline_is_not_begun(session: ArmSession) -> None:
    body = {"error": {"code": "ResourceRequestsThrottled", "message": "Try after '372' seconds."}}
    session.emulator.fault(
        "/subscriptions$", status=429, headers={"Retry-After": "372"}, body=body, times=None
    )
    began = time.monotonic()

    error = await failure(session, seconds=30)

    assert time.monotonic() - began < BUSY_SECONDS
    assert (error.status, error.code) == (429, "ResourceRequestsThrottled")
    assert error.retryable


async def test_one_throttled_action_does_not_hold_back_the_others(session: ArmSession) -> None:
    body = {"error": {"code": "ResourceRequestsThrottled", "message": "Try after '40' seconds."}}
    session.emulator.fault(
        "/vmSizes$", status=429, headers={"Retry-After": "40"}, body=body, times=None
    )
    prices = (
        f"{PRODUCTION}/providers/Microsoft.MachineLearningServices/locations/westeurope/vmSizes"
    )

    async with session.open() as arm:
        waiting = asyncio.create_task(arm.get(prices, deadline=within(60)))
        await until(lambda: session.seen("/vmSizes"))
        began = time.monotonic()
        await arm.list(f"{PRODUCTION}{WORKSPACES}", deadline=within(20))
        seconds = time.monotonic() - began
        waiting.cancel()

    assert seconds < BUSY_SECONDS


async def test_a_read_that_hangs_ends_at_the_deadline(session: ArmSession) -> None:
    session.emulator.fault("/subscriptions$", hang_seconds=30, times=None)
    began = time.monotonic()

    error = await failure(session, seconds=1)

    assert time.monotonic() - began < 1 + BUSY_SECONDS
    assert error.status is None
    assert "no answer in time" in str(error)


async def test_a_read_does_not_begin_after_the_deadline(session: ArmSession) -> None:
    await failure(session, seconds=-1)

    assert not session.seen(SUBSCRIPTIONS)


async def test_a_read_that_keeps_failing_is_given_up(session: ArmSession) -> None:
    session.emulator.fault("/subscriptions$", cut="before_effect", times=None)

    error = await failure(session, seconds=1)

    assert error.retryable
    assert "no answer" in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BadRequest"), (403, "AuthorizationFailed"), (404, "SubscriptionNotFound")],
)
async def test_a_read_that_is_refused_is_not_tried_again(
    session: ArmSession, status: int, code: str
) -> None:
    body = {"error": {"code": code, "message": "No."}}
    session.emulator.fault("/subscriptions$", status=status, body=body, times=None)

    error = await failure(session)

    assert (error.status, error.code, error.retryable) == (status, code, False)
    assert str(error) == f"GET /subscriptions: {status}: {code}: No."
    assert len(session.seen(SUBSCRIPTIONS)) == 1


async def test_a_token_that_arm_does_not_believe_is_not_sent_over_and_over(
    session: ArmSession,
) -> None:
    async with session.open(token="not.a.token") as arm:
        with pytest.raises(AzureRequestError) as raised:
            await arm.list(SUBSCRIPTIONS, deadline=within(30))

    assert raised.value.status == 401
    assert len(session.seen(SUBSCRIPTIONS)) == 1


async def test_a_credential_that_fails_says_so_itself(session: ArmSession) -> None:
    async with session.open(token=None) as arm:
        with pytest.raises(CredentialError, match="the vault is locked"):
            await arm.list(SUBSCRIPTIONS, deadline=within(30))


async def test_a_credential_that_hangs_says_so_at_the_deadline(session: ArmSession) -> None:
    began = time.monotonic()

    async with session.open(token=HANGS) as arm:
        with pytest.raises(CredentialError, match="gave no token") as raised:
            await arm.list(SUBSCRIPTIONS, deadline=within(1))

    assert raised.value.retryable
    assert time.monotonic() - began < 1 + BUSY_SECONDS


async def test_nobody_listening_is_an_error_of_no_status(session: ArmSession) -> None:
    async with session.open(endpoint="https://127.0.0.1:1") as arm:
        with pytest.raises(AzureRequestError) as raised:
            await arm.get(SUBSCRIPTIONS, deadline=within(1))

    assert raised.value.status is None
    assert raised.value.retryable


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", '"text"', "{}", '{"value": null}', '{"value": {}}', "[" * 50_000],
    ids=["nothing", "a list", "null", "a text", "no value", "null value", "a dict", "too deep"],
)
async def test_an_answer_without_a_list_is_an_error_and_not_an_empty_list(
    session: ArmSession, body: str
) -> None:
    session.emulator.fault("/subscriptions$", status=200, body=body, times=None)

    error = await failure(session, seconds=0.4)

    assert "GET /subscriptions" in str(error)


async def test_our_count_is_corrected_by_what_azure_says_remains(
    start_emulator: StartEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator("--buckets", "reads=5:4")
    trust(emulator, monkeypatch)
    session = ArmSession(emulator=emulator)
    pacer = Pacer({Operation.READS: BucketSize(capacity=100, per_second=4)})

    async with session.open(pacer=pacer) as arm:
        for _ in range(10):
            await arm.get(SUBSCRIPTIONS, deadline=within(30))

    assert not any(each["throttled"] for each in session.seen(SUBSCRIPTIONS))


@pytest.mark.parametrize("value", ["", "-1", "many", "9" * 5000])
async def test_a_count_that_is_none_is_passed_over(session: ArmSession, value: str) -> None:
    remaining = {"x-ms-ratelimit-remaining-tenant-reads": value}
    session.emulator.fault("/subscriptions$", status=200, headers=remaining, body={"value": []})

    assert await list_subscriptions(session) == []


async def test_a_burst_larger_than_the_bucket_is_never_throttled(
    start_emulator: StartEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator("--buckets", "reads=20:20", "--latency-ms", "20")
    trust(emulator, monkeypatch)
    session = ArmSession(emulator=emulator)
    pacer = Pacer({Operation.READS: BucketSize(capacity=20, per_second=20)})

    async with session.open(pacer=pacer) as arm:
        await asyncio.gather(*(arm.get(SUBSCRIPTIONS, deadline=within(30)) for _ in range(50)))

    assert len(session.answers) == 50
    assert not any(each["throttled"] for each in session.seen(SUBSCRIPTIONS))
