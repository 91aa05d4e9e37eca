"""Resource Manager's token buckets."""

import asyncio
import ssl
import time
from collections import Counter

import aiohttp

from azure_emulator.answers import AzureError
from azure_emulator.arm.buckets import DOCUMENTED, Bucket, Buckets, Size, operation_type
from azure_emulator.clock import Clock
from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm, estate
from tests.conftest import StartEmulator
from tests.support.emulator import ARM_VERSION

SIZE = Size(capacity=3, refill_per_second=2)


def test_a_bucket_gives_its_capacity_and_then_says_how_long_to_wait() -> None:
    bucket = Bucket(SIZE, now=0.0)

    waits = [bucket.take(0.0) for _ in range(4)]

    assert waits == [0, 0, 0, 1]


def test_a_request_before_the_wait_is_over_is_refused_again() -> None:
    bucket = Bucket(Size(capacity=1, refill_per_second=0.25), now=0.0)

    waits = [bucket.take(at) for at in (0.0, 0.0, 3.5, 4.0)]

    assert waits == [0, 4, 1, 0]


def test_a_bucket_refills_no_further_than_its_capacity() -> None:
    bucket = Bucket(SIZE, now=0.0)

    waits = [bucket.take(1000.0) for _ in range(4)]

    assert waits == [0, 0, 0, 1]


def test_a_post_is_a_write() -> None:
    methods = {method: operation_type(method) for method in ("GET", "HEAD", "POST", "DELETE")}

    assert methods == {"GET": "reads", "HEAD": "reads", "POST": "writes", "DELETE": "deletes"}


def test_all_principals_together_have_fifteen_times_one_share() -> None:
    moment = 0.0
    buckets = Buckets(Clock(read=lambda: moment), {"reads": Size(capacity=1, refill_per_second=1)})

    def charge(principal: str) -> bool:
        try:
            buckets.charge(subscription_id="s", principal=principal, method="GET", target="x")
        except AzureError:
            return False
        return True

    assert [charge(str(number)) for number in range(16)] == [True] * 15 + [False]


def test_the_remaining_requests_are_told(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    stop = arm.stop("ci-ada").headers
    read = arm.get(WORKSPACE).headers

    assert stop["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    assert stop["x-ms-ratelimit-remaining-subscription-global-writes"] == "2999"
    assert read["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert read["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"


def test_a_throttled_call_is_answered_as_azure_does(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("--buckets", "reads=1:0.02")
    arm = Arm(emulator=emulator, token=emulator.arm_token())
    emulator.seed(estate())

    arm.get(f"{WORKSPACE}/computes")
    reply = arm.get(f"{WORKSPACE}/computes")

    error, wait = reply.json()["error"], reply.headers["retry-after"]
    # Less than 50 by as long as this machine took to ask again.
    assert (reply.status, 0 < int(wait) <= 50) == (429, True)
    assert reply.headers["x-ms-ratelimit-remaining-subscription-reads"] == "0"
    assert error["code"] == "SubscriptionRequestsThrottled"
    assert f"'{SUBSCRIPTION}'" in error["message"]
    assert f"after '{wait}' seconds" in error["message"]
    record = emulator.requests()[-1]
    assert (record["throttled"], record["fault"]) == (True, None)


def test_state_shows_the_buckets(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("--buckets", "writes=3:0.001")
    arm = Arm(emulator=emulator, token=emulator.arm_token())
    emulator.seed(estate({"name": "ci-ada"}))
    arm.stop("ci-ada")

    (writes,) = [
        bucket
        for bucket in emulator.state()["buckets"]
        if bucket["operation"] == "writes" and bucket["principal"] != "*"
    ]

    assert writes["subscription"] == SUBSCRIPTION
    assert (writes["remaining"], writes["capacity"], writes["refill_per_second"]) == (2, 3, 0.001)


async def test_260_stops_in_one_burst_see_about_200_accepted(start_emulator: StartEmulator) -> None:
    emulator = await asyncio.to_thread(
        start_emulator, "--fleet", "subscriptions=1,workspaces=1,instances=260"
    )
    token = await asyncio.to_thread(emulator.arm_token)
    state = await asyncio.to_thread(emulator.state)
    trust = ssl.create_default_context(cafile=str(emulator.ca))
    headers = {"Authorization": f"Bearer {token}"}

    async with aiohttp.ClientSession(
        emulator.url, connector=aiohttp.TCPConnector(ssl=trust, limit=20), headers=headers
    ) as session:

        async def stop(instance: str) -> int:
            url = f"{instance}/stop?api-version={ARM_VERSION}"
            async with session.post(url) as reply:
                return reply.status

        began = time.monotonic()
        statuses = Counter(await asyncio.gather(*(stop(c["id"]) for c in state["computes"])))
        seconds = time.monotonic() - began

    writes = DOCUMENTED["writes"]
    refilled = writes.refill_per_second * seconds
    assert statuses[202] + statuses[429] == 260
    # How many are refused depends on how fast this machine is.
    assert writes.capacity <= statuses[202] <= writes.capacity + refilled + 1
