"""What a tick may rely on when it changes settings, of Azure's client and of the fake alike."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.compute.instance import Compute
from shared.compute.native_settings import Cluster, ScaleSettings
from shared.errors import AzureRequestError
from tests.support.arm_session import ArmSession, trust, within
from tests.support.builders import an_instance
from tests.support.emulator import EmulatorProcess
from tests.support.stage import Stage, Stages

CPU = {
    "name": "cpu",
    "compute_type": "AmlCompute",
    "scale": {
        "min_node_count": 2,
        "max_node_count": 6,
        "node_idle_time_before_scale_down": "PT30S",
    },
}
ZERO = ScaleSettings(minimum=0, maximum=6, idle_time="PT30S")
HOUR = timedelta(hours=1)


@pytest.fixture(params=["fake", "client"])
def stages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stages:
    if request.param == "fake":
        return Stages("fake", None)
    emulator: EmulatorProcess = request.getfixturevalue("emulator")
    trust(emulator, monkeypatch)
    return Stages("client", ArmSession(emulator=emulator))


# So slow is Azure where a test is to find something going on.
UNHURRIED = 100.0


@pytest.fixture(scope="module")
def unhurried_emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess(options=("--time-scale", str(UNHURRIED))) as running:
        yield running


@pytest.fixture(params=["fake", "client"])
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stages:
    """Stages on which a change takes minutes."""
    if request.param == "fake":
        return Stages("fake", None, scale=UNHURRIED)
    emulator: EmulatorProcess = request.getfixturevalue("unhurried_emulator")
    trust(emulator, monkeypatch)
    return Stages("client", ArmSession(emulator=emulator), scale=UNHURRIED)


async def find(stage: Stage, name: str) -> Compute:
    return (await stage.computes())[name]


async def cluster_of(stage: Stage, name: str = "cpu") -> Cluster:
    found = (await find(stage, name)).cluster
    assert found is not None
    return found


async def until_updated(stage: Stage) -> Cluster:
    async with asyncio.timeout(30):
        while (found := await cluster_of(stage)).updating:  # noqa: ASYNC110  # it happens elsewhere
            await asyncio.sleep(0.02)
    return found


async def refused(stage: Stage, compute: Compute, scale: ScaleSettings) -> int | None:
    with pytest.raises(AzureRequestError) as raised:
        await stage.azure.scale_cluster(compute, scale, deadline=within(10))
    assert not raised.value.retryable
    return raised.value.status


async def test_a_cluster_is_listed_with_its_bounds_and_nodes(stages: Stages) -> None:
    busy = {**CPU, "name": "busy", "nodes": {"idle": 1, "running": 2}}

    async with stages.with_computes(CPU, busy, {"name": "ci-ada"}) as stage:
        cpu, working = await cluster_of(stage), await cluster_of(stage, "busy")
        ada = await find(stage, "ci-ada")

    assert cpu.scale == ScaleSettings(minimum=2, maximum=6, idle_time="PT30S")
    assert (cpu.nodes, cpu.busy_nodes) == (2, 0)
    assert (cpu.steady, cpu.updating) == (True, False)
    assert (working.nodes, working.busy_nodes) == (3, 2)
    assert ada.cluster is None


async def test_a_cluster_that_gets_nodes_is_not_steady(stages: Stages) -> None:
    async with stages.with_computes({**CPU, "nodes": {"preparing": 2}}) as stage:
        found = await cluster_of(stage)

    assert (found.steady, found.busy_nodes) == (False, 2)


async def test_other_bounds_show_at_once_and_the_others_stay(unhurried: Stages) -> None:
    async with unhurried.with_computes(CPU) as stage:
        await stage.azure.scale_cluster(await find(stage, "cpu"), ZERO, deadline=within(10))
        found = await cluster_of(stage)

    assert (found.scale, found.updating) == (ZERO, True)


async def test_other_bounds_are_updated_in_the_end(stages: Stages) -> None:
    async with stages.with_computes(CPU) as stage:
        await stage.azure.scale_cluster(await find(stage, "cpu"), ZERO, deadline=within(10))
        found = await until_updated(stage)

    assert (found.scale, found.updating) == (ZERO, False)


async def test_a_change_during_another_is_a_conflict(unhurried: Stages) -> None:
    async with unhurried.with_computes(CPU) as stage:
        cpu = await find(stage, "cpu")
        await stage.azure.scale_cluster(cpu, ZERO, deadline=within(10))

        assert await refused(stage, cpu, ZERO) == 409


async def test_bounds_that_contradict_each_other_are_refused(stages: Stages) -> None:
    async with stages.with_computes(CPU) as stage:
        wrong = replace(ZERO, minimum=7)

        assert await refused(stage, await find(stage, "cpu"), wrong) == 400


async def test_an_instance_has_no_bounds_and_nobody_has_none(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        assert await refused(stage, await stage.ada(), ZERO) == 400
        assert await refused(stage, an_instance("ci-nobody"), ZERO) == 404


@pytest.mark.parametrize(("where", "minimum"), [("before_effect", 2), ("after_effect", 0)])
async def test_a_change_that_was_not_answered_may_have_happened(
    stages: Stages, where: str, minimum: int
) -> None:
    async with stages.with_computes(CPU) as stage:
        stage.cut("cpu", where)
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.scale_cluster(await find(stage, "cpu"), ZERO, deadline=within(10))
        found = await cluster_of(stage)

    assert (raised.value.status, raised.value.retryable) == (None, True)
    assert found.scale.minimum == minimum


async def test_after_the_deadline_no_setting_is_changed(stages: Stages) -> None:
    async with stages.with_computes(CPU, {"name": "ci-ada"}) as stage:
        cpu, ada = await find(stage, "cpu"), await find(stage, "ci-ada")
        with pytest.raises(AzureRequestError):
            await stage.azure.scale_cluster(cpu, ZERO, deadline=within(-1))
        with pytest.raises(AzureRequestError):
            await stage.azure.set_idle_shutdown(ada, after=HOUR, deadline=within(-1))
        cluster, idle_time = await cluster_of(stage), (await stage.ada()).guard_rails.idle_time

    assert (cluster.scale.minimum, idle_time) == (2, "")


@pytest.mark.parametrize(("said", "after"), [(None, None), ("P3D", timedelta(days=3))])
async def test_the_idle_time_is_listed(
    stages: Stages, said: str | None, after: timedelta | None
) -> None:
    ada = {"name": "ci-ada", "idle_time_before_shutdown": said}

    async with stages.with_computes(ada) as stage:
        found = (await stage.ada()).guard_rails

    assert (found.idle_time, found.idle_after) == (said or "", after)


@pytest.mark.parametrize("state", ["Running", "Stopped"])
async def test_an_idle_time_is_seen_once_it_is_set(stages: Stages, state: str) -> None:
    async with stages.with_ada(state) as stage:
        await stage.azure.set_idle_shutdown(await stage.ada(), after=HOUR, deadline=within(10))
        found = await stage.ada()

    assert (found.guard_rails.idle_after, found.state) == (HOUR, state)


@pytest.mark.parametrize(
    ("state", "minutes", "status"), [("Deleting", 60, 409), ("Running", 10, 400)]
)
async def test_an_idle_time_may_be_refused(
    stages: Stages, state: str, minutes: int, status: int
) -> None:
    async with stages.with_ada(state) as stage:
        after = timedelta(minutes=minutes)
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.set_idle_shutdown(await stage.ada(), after=after, deadline=within(10))

    assert (raised.value.status, raised.value.retryable) == (status, False)


@pytest.mark.parametrize("where", ["before_effect", "after_effect"])
async def test_an_idle_time_that_was_not_answered_may_have_been_set(
    stages: Stages, where: str
) -> None:
    async with stages.with_ada() as stage:
        stage.cut("ci-ada", where)
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.set_idle_shutdown(await stage.ada(), after=HOUR, deadline=within(10))
        found = await stage.ada()

    assert raised.value.status is None
    assert (found.guard_rails.idle_after == HOUR) == (where == "after_effect")
