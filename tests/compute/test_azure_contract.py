"""What a run may rely on, of Azure's client and of the fake alike."""

import asyncio
from datetime import timedelta

import pytest

from shared.compute.azure import AnswerKind, StopAnswer
from shared.errors import AzureRequestError
from tests.support.arm_session import ArmSession, now, trust, within
from tests.support.builders import SUBSCRIPTION, a_workspace, an_instance
from tests.support.emulator import EmulatorProcess
from tests.support.stage import Stages

# Long enough at a fiftieth that a busy machine still finds the stop going on: a second and a half.
LOOKED_AT = 75


@pytest.fixture(params=["fake", "client"])
def stages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stages:
    if request.param == "fake":
        return Stages("fake", None)
    emulator: EmulatorProcess = request.getfixturevalue("emulator")
    trust(emulator, monkeypatch)
    return Stages("client", ArmSession(emulator=emulator))


async def test_subscriptions_are_listed_by_their_guid(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        assert await stage.azure.list_subscriptions(deadline=within(10)) == [SUBSCRIPTION]


async def test_a_workspace_has_its_id_region_and_tags(stages: Stages) -> None:
    async with stages.with_computes(location="northeurope", tags={"shutdown": "never"}) as stage:
        found = await stage.workspace()

    assert found.id == a_workspace().id
    assert (found.name, found.subscription_id) == ("mlw-churn", SUBSCRIPTION)
    assert (found.location, found.tags) == ("northeurope", {"shutdown": "never"})


async def test_an_instance_has_owner_size_tags_and_its_last_operation(stages: Stages) -> None:
    ada = {
        "name": "ci-ada",
        "vm_size": "STANDARD_E4S_V3",
        "owner": {"name": "ada@contoso.example"},
        "tags": {"team": "churn"},
    }

    async with stages.with_computes(ada) as stage:
        found = await stage.ada()

    assert found.id == an_instance().id
    assert (found.vm_size, found.owner) == ("STANDARD_E4S_V3", "ada@contoso.example")
    assert (found.tags, found.location) == ({"team": "churn"}, "westeurope")
    assert found.last_operation is not None
    assert found.last_operation.name == "Start"


async def test_computes_of_every_kind_are_listed_over_all_pages(stages: Stages) -> None:
    kinds = ["ComputeInstance", "AmlCompute", "AKS", "Kubernetes", "Databricks", "HDInsight"]
    seeds = [{"name": f"c-{kind}", "compute_type": kind} for kind in kinds]

    async with stages.with_computes(*seeds) as stage:
        found = await stage.computes()

    assert {each.compute_type for each in found.values()} == set(kinds)
    assert [each.name for each in found.values() if each.is_instance] == ["c-ComputeInstance"]


@pytest.mark.parametrize("state", ["Running", "Unusable", "JobRunning", "Deleting", None])
async def test_states_are_in_azures_words(stages: Stages, state: str | None) -> None:
    async with stages.with_ada(state, never_settles=True) as stage:
        assert (await stage.ada()).state == state


async def test_an_instance_being_created_lacks_much_and_is_listed(stages: Stages) -> None:
    async with stages.with_ada(None, never_settles=True) as stage:
        found = await stage.ada()

    assert found.last_operation is None
    assert (found.tags, found.location) == ({}, "westeurope")


async def test_an_instance_on_its_way_arrives(stages: Stages) -> None:
    async with stages.with_ada("Starting", settles_after=5) as stage:
        assert (await stage.ada_becomes("Running")).state == "Running"


async def test_a_workspace_without_access_is_an_error_that_will_not_pass(stages: Stages) -> None:
    async with stages.with_computes(forbidden=True) as stage:
        with pytest.raises(AzureRequestError) as raised:
            await stage.computes()

    assert (raised.value.status, raised.value.code) == (403, "AuthorizationFailed")
    assert not raised.value.retryable


async def test_a_workspace_that_is_not_there_is_an_error(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.list_computes(a_workspace("mlw-other"), deadline=within(10))

    assert raised.value.status == 404


async def test_one_compute_is_what_the_list_shows_of_it(stages: Stages) -> None:
    async with stages.with_ada("Stopped") as stage:
        listed = await stage.ada()
        found = await stage.azure.get_compute(listed, deadline=within(10))

    assert found == listed


async def test_a_compute_that_is_not_there_is_an_error(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.get_compute(an_instance("ci-nobody"), deadline=within(10))

    assert raised.value.status == 404


async def test_prices_are_found_in_lower_case_and_are_not_made_up(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        prices = await stage.azure.list_prices(SUBSCRIPTION, "westeurope", deadline=within(10))

    assert prices["standard_ds3_v2"].per_hour == 1
    assert prices["standard_ds3_v2"].currency == "USD"
    assert "standard_free" not in prices


async def test_an_accepted_stop_is_seen_stopping_then_stopped(stages: Stages) -> None:
    async with stages.with_ada(stop_seconds=LOOKED_AT) as stage:
        answer = await stage.stop_ada()
        stopping = await stage.ada()
        stopped = await stage.ada_becomes("Stopped")

    assert answer.kind is AnswerKind.ACCEPTED
    assert stopping.state == "Stopping"
    assert stopped.last_operation is not None
    assert (stopped.last_operation.name, stopped.last_operation.status) == ("Stop", "Succeeded")


async def test_the_time_of_the_stop_is_azures_and_agrees_with_the_answers(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        answer = await stage.stop_ada()
        last = (await stage.ada()).last_operation

    assert last is not None
    assert last.at is not None
    # An HTTP server may renew its Date only every second.
    assert timedelta(seconds=-1) <= last.at - answer.at <= timedelta(seconds=3)


async def test_an_operation_is_in_progress_then_succeeds(stages: Stages) -> None:
    async with stages.with_ada(stop_seconds=LOOKED_AT) as stage:
        answer = await stage.stop_ada()
        at_first = await stage.azure.get_operation(answer, deadline=within(10))
        at_last = await stage.operation_ends(answer)

    assert (at_first.status, at_last.status) == ("InProgress", "Succeeded")
    assert not at_last.failed


async def test_a_stop_that_fails_says_so_in_the_list_and_why_on_its_operation(
    stages: Stages,
) -> None:
    async with stages.with_ada(stop_fails=True, stop_seconds=5) as stage:
        answer = await stage.stop_ada()
        operation = await stage.operation_ends(answer)
        last = (await stage.ada_becomes("Running")).last_operation

    assert operation.failed
    assert operation.code
    assert "deallocated" in operation.message
    assert last is not None
    assert (last.name, last.status) == ("Stop", "StopFailed")


async def test_a_stop_that_never_ends_stays_stopping(stages: Stages) -> None:
    async with stages.with_ada(never_stops=True, stop_seconds=1) as stage:
        await stage.stop_ada()
        await asyncio.sleep(0.1)

        assert (await stage.ada()).state == "Stopping"


@pytest.mark.parametrize("by", ["User", "Schedule"])
async def test_a_start_after_the_stop_is_told_with_its_trigger(stages: Stages, by: str) -> None:
    async with stages.with_ada(starts_again_after=20, started_by=by, stop_seconds=5) as stage:
        answer = await stage.stop_ada()
        last = (await stage.ada_becomes("Starting")).last_operation

    assert last is not None
    assert (last.name, last.trigger) == ("Start", by)
    assert last.at is not None
    assert last.at > answer.at


async def test_a_stop_during_another_operation_is_a_conflict(stages: Stages) -> None:
    async with stages.with_ada(never_stops=True) as stage:
        await stage.stop_ada()
        answer = await stage.stop_ada()

    assert answer.kind is AnswerKind.CONFLICT
    assert answer.code == "Conflict"


async def test_a_conflict_clears(stages: Stages) -> None:
    async with stages.with_ada(conflict_until=LOOKED_AT) as stage:
        early = late = await stage.stop_ada()
        async with asyncio.timeout(30):
            while late.kind is AnswerKind.CONFLICT:
                await asyncio.sleep(0.05)
                late = await stage.stop_ada()

    assert (early.kind, late.kind) == (AnswerKind.CONFLICT, AnswerKind.ACCEPTED)


@pytest.mark.parametrize("disk_full", [True, False], ids=["disk_full", "refuses_stop"])
async def test_a_refusal_has_azures_code_and_words(stages: Stages, *, disk_full: bool) -> None:
    async with stages.with_ada(disk_full=disk_full, refuses_stop=not disk_full) as stage:
        answer = await stage.stop_ada()

    assert (answer.kind, answer.code) == (AnswerKind.REFUSED, "UserError")
    assert "StopCompute is not allowed" in answer.message


async def test_a_stop_of_what_is_stopped_is_accepted(stages: Stages) -> None:
    async with stages.with_ada("Stopped") as stage:
        answer = await stage.stop_ada()

    assert answer.kind is AnswerKind.ACCEPTED


async def test_a_stop_of_what_is_not_there_finds_nothing(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        answer = await stage.azure.begin_stop(an_instance("ci-nobody"), deadline=within(10))

    assert answer.kind is AnswerKind.GONE


@pytest.mark.parametrize(
    ("where", "state"), [("before_effect", "Running"), ("after_effect", "Stopping")]
)
async def test_a_stop_that_was_not_answered_is_unclear(
    stages: Stages, where: str, state: str
) -> None:
    async with stages.with_ada(never_stops=True) as stage:
        stage.cut("ci-ada", where)
        answer = await stage.stop_ada()
        found = await stage.ada()

    assert answer.kind is AnswerKind.UNCLEAR
    assert answer.message
    assert found.state == state


async def test_after_the_deadline_nothing_is_sent(stages: Stages) -> None:
    past = within(-1)

    async with stages.with_ada() as stage:
        ada = await stage.ada()
        answer = await stage.azure.begin_stop(ada, deadline=past)
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.list_computes(ada.workspace, deadline=past)
        found = await stage.ada()

    assert answer.kind is AnswerKind.NOT_SENT
    assert raised.value.retryable
    assert found.state == "Running"


async def test_an_operation_that_is_not_there_is_an_error(stages: Stages) -> None:
    async with stages.with_ada() as stage:
        answer = StopAnswer(kind=AnswerKind.UNCLEAR, at=now())

        with pytest.raises(AzureRequestError):
            await stage.azure.get_operation(answer, deadline=within(10))
