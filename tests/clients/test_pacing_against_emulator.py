"""A whole shutdown stays under the emulator's token buckets, whose sizes it was told."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.clients.machine_learning import MachineLearningClient
from shared.clients.pacer import BucketSize, Operation, Pacer
from shared.compute.order import RunOrder
from shared.compute.report import Result, RunReport, Trigger
from shared.compute.run import Occasion, Rules
from shared.compute.shutdown import Shutdown
from shared.telemetry import NullTelemetry
from tests.conftest import StartEmulator
from tests.support.arm_session import ArmSession, trust

FLEET = ("--fleet", "subscriptions=2,workspaces=3,instances=10")
BUCKETS = ("--buckets", "reads=20:50,writes=10:40")
# So little that a machine that is busy with other things still asks for more.
SCARCE = ("--buckets", "reads=20:50,writes=10:5")
SIZES = {
    Operation.READS: BucketSize(capacity=20, per_second=50),
    Operation.WRITES: BucketSize(capacity=10, per_second=40),
}
QUICK = ("--time-scale", "0.02", "--latency-ms", "30")


async def shut_down(session: ArmSession, pacer: Pacer) -> RunReport:
    def now() -> datetime:
        return datetime.now(UTC)

    async with session.open(pacer=pacer) as arm:
        azure = MachineLearningClient(arm, now=now)
        rules = Rules(poll=timedelta(seconds=0.2))
        shutdown = Shutdown(azure, NullTelemetry(), now=now, rules=rules)
        limit = timedelta(seconds=60)
        return await shutdown.run(RunOrder(), Occasion(trigger=Trigger.HTTP, time_limit=limit))


def throttled(requests: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Requests refused by a bucket, and by no armed fault."""
    return [each for each in requests if each["throttled"] and each["fault"] is None]


async def test_a_shutdown_that_knows_the_buckets_is_never_throttled(
    start_emulator: StartEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator(*FLEET, *BUCKETS, *QUICK)
    trust(emulator, monkeypatch)

    report = await shut_down(ArmSession(emulator=emulator), Pacer(SIZES))

    assert report.result is Result.SUCCEEDED
    assert report.counts.stopped == 60
    assert throttled(emulator.requests()) == []
    assert {compute["stop_requests"] for compute in emulator.computes().values()} == {1}


async def test_a_shutdown_that_believes_in_larger_buckets_is_throttled_and_still_stops_all(
    start_emulator: StartEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator(*FLEET, *SCARCE, *QUICK)
    trust(emulator, monkeypatch)

    report = await shut_down(ArmSession(emulator=emulator), Pacer())

    assert throttled(emulator.requests())
    assert report.result is Result.SUCCEEDED
    assert report.counts.stopped == 60
    assert {compute["stop_requests"] for compute in emulator.computes().values()} == {1}


async def test_what_another_client_of_the_principal_took_is_learned_from_the_answers(
    start_emulator: StartEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator(*FLEET, "--buckets", "writes=34:3", *QUICK)
    trust(emulator, monkeypatch)
    sizes = {Operation.WRITES: BucketSize(capacity=34, per_second=3)}
    session = ArmSession(emulator=emulator)
    await take(session, writes=15)
    taken = len(emulator.requests())

    report = await shut_down(session, Pacer(sizes, slots=4))

    assert report.result is Result.SUCCEEDED
    assert throttled(emulator.requests()[taken:]) == []


async def take(session: ArmSession, *, writes: int) -> None:
    """Spend tokens of every subscription on stops of machines that are not there."""
    workspaces = session.emulator.state()["workspaces"]
    token = session.emulator.arm_token()
    for home in {
        workspace["id"].split("/")[2]: workspace["id"] for workspace in workspaces
    }.values():
        for _ in range(writes):
            session.emulator.arm("POST", f"{home}/computes/ci-nobody/stop", token=token)
