"""Changes of settings over ARM: what is sent, when it is sent again, and which bucket pays."""

from datetime import timedelta

import pytest

from shared.clients.pacer import BucketSize, Operation, Pacer
from shared.compute.instance import Compute
from shared.compute.native_settings import ScaleSettings
from shared.errors import AzureRequestError, CredentialError
from tests.support.arm_session import ArmSession, within
from tests.support.builders import SUBSCRIPTION, a_workspace, an_instance

HOME = {"name": "mlw-churn", "resource_group": "rg-ml"}
CPU = {"name": "cpu", "compute_type": "AmlCompute", "scale": {"min_node_count": 2}}
ZERO = ScaleSettings(minimum=0, maximum=4, idle_time="PT120S")
HOUR = timedelta(hours=1)
PATCHED = "/computes/cpu$"


def seed(session: ArmSession) -> None:
    home = {**HOME, "computes": [CPU, {"name": "ci-ada"}]}
    session.emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [home]}]})


def cpu() -> Compute:
    return an_instance("cpu", workspace=a_workspace())


async def scale_down(session: ArmSession, *, token: str | None = "") -> None:
    async with session.machine_learning(token=token) as azure:
        await azure.scale_cluster(cpu(), ZERO, deadline=within(20))


@pytest.mark.parametrize("status", [429, 503])
async def test_a_change_that_did_nothing_is_sent_again(session: ArmSession, status: int) -> None:
    seed(session)
    session.emulator.fault(PATCHED, status=status, headers={"Retry-After": "0"})

    await scale_down(session)

    assert len(session.seen("/computes/cpu", method="PATCH")) == 2


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_a_change_that_may_have_happened_is_not_sent_again(
    session: ArmSession, status: int
) -> None:
    seed(session)
    session.emulator.fault(PATCHED, status=status, times=None)

    with pytest.raises(AzureRequestError) as raised:
        await scale_down(session)

    assert (raised.value.status, raised.value.retryable) == (status, True)
    assert len(session.seen("/computes/cpu", method="PATCH")) == 1


async def test_a_change_without_a_grant_says_which(session: ArmSession) -> None:
    home = {**HOME, "computes": [CPU]}
    readers = {"service_principal": [{"actions": ["*/read"]}]}
    subscriptions = [{"id": SUBSCRIPTION, "workspaces": [home]}]
    session.emulator.seed({"subscriptions": subscriptions, "access": readers})

    with pytest.raises(AzureRequestError, match="computes/write") as raised:
        await scale_down(session)

    assert raised.value.status == 403


async def test_without_a_credential_nothing_is_sent(session: ArmSession) -> None:
    seed(session)

    with pytest.raises(CredentialError):
        await scale_down(session, token=None)

    assert not session.seen("/computes/cpu", method="PATCH")


async def test_changes_are_writes_and_keep_under_their_bucket(session: ArmSession) -> None:
    seed(session)
    pacer = Pacer({Operation.WRITES: BucketSize(capacity=1, per_second=4)})

    async with session.open(pacer=pacer) as arm:
        start = within(0)
        for _ in range(3):
            await arm.patch(cpu().id, {}, deadline=within(20))
        took = within(0) - start

    assert took >= timedelta(seconds=0.4)
    assert session.answers == [(Operation.WRITES, False)] * 3
    assert {each["bucket"] for each in session.seen("/computes/cpu", method="PATCH")} == {"writes"}


async def test_the_idle_time_is_set_by_the_version_that_documents_it(session: ArmSession) -> None:
    seed(session)
    ada = an_instance("ci-ada", workspace=a_workspace())

    async with session.machine_learning() as azure:
        await azure.set_idle_shutdown(ada, after=HOUR, deadline=within(10))

    (request,) = session.seen("/updateIdleShutdownSetting", method="POST")
    assert request["query"] == "api-version=2021-07-01"
    assert (request["bucket"], request["status"]) == ("writes", 200)
