"""What takes its time in one workspace goes on beside the looks at its neighbours."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.compute.lane import PATIENCE_SECONDS, PLACES
from shared.compute.order import RunOrder
from shared.compute.report import RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Shutdown
from shared.errors import AzureRequestError, CredentialError
from shared.telemetry import Event
from tests.support.builders import after, an_instance
from tests.support.fake_azure import FakeAzure
from tests.support.night import Prepare, a_machine, an_estate, carry_out, later, spend


def hanging(*names: str, suffix: str = "") -> Prepare:
    """Requests about these machines get no answer."""
    return lambda azure: azure.hanging.update(f"{an_instance(n).key}{suffix}" for n in names)


def a_crowd(number: int) -> Sequence[Mapping[str, Any]]:
    return [a_machine(f"ci-stuck{n:03}x") for n in range(number)]


def test_a_stop_that_hangs_does_not_make_its_neighbours_seem_slow() -> None:
    estate = an_estate(a_machine("ci-slow"), a_machine("ci-ada"))

    night = spend(estate, prepare=hanging("ci-slow"), seconds=300)

    assert night.outcomes == {"ci-slow": "unresolved", "ci-ada": "stopped"}
    assert night.instance("ci-ada").seconds == 30


def test_an_operation_that_hangs_does_not_make_its_neighbours_seem_slow() -> None:
    estate = an_estate(a_machine("ci-fails", stop_fails=True, stop_seconds=3), a_machine("ci-ada"))
    operation = f"https://fake.example{an_instance('ci-fails').key}/operations/1"

    night = spend(estate, prepare=lambda azure: azure.hanging.add(operation), seconds=300)

    assert night.outcomes == {"ci-fails": "stop_failed", "ci-ada": "stopped"}
    assert night.instance("ci-ada").seconds == 30


def test_a_machine_that_hangs_is_seen_stopped_when_it_was() -> None:
    def prepare(azure: FakeAzure) -> None:
        hanging("ci-slow")(azure)
        later(40, lambda: azure.machine("ci-slow").stop(azure.now()))

    night = spend(an_estate(a_machine("ci-slow")), prepare=prepare, seconds=300)

    slow = night.instance("ci-slow")
    assert (slow.outcome, slow.seconds) == ("already_stopped", 70)


def test_a_job_that_begins_while_a_machine_waits_for_its_turn_is_left_to_run() -> None:
    crowd = a_crowd(PLACES * 2)

    def prepare(azure: FakeAzure) -> None:
        hanging(*(each["name"] for each in crowd))(azure)
        busy = azure.machines[an_instance("ci-bob").key]
        later(PATIENCE_SECONDS, lambda: busy._become("JobRunning", "Succeeded"))

    night = spend(an_estate(*crowd, a_machine("ci-bob")), prepare=prepare, seconds=300)

    assert night.outcomes["ci-bob"] == "left"
    assert "ci-bob" not in night.asked
    told = [
        each["reason"]
        for each in night.telemetry.named(Event.COMPUTE_INSTANCE_DECIDED)
        if each["instance"] == "ci-bob"
    ]
    assert told == ["job_running"]


def test_a_machine_whose_turn_never_came_says_so_and_costs_no_time() -> None:
    crowd = a_crowd(PLACES)
    stuck = hanging(*(each["name"] for each in crowd))

    night = spend(an_estate(*crowd, a_machine("ci-bob")), prepare=stuck, seconds=2)

    assert night.outcomes["ci-bob"] == "unresolved"
    assert "before its turn" in night.instance("ci-bob").detail
    assert "ci-bob" not in night.asked
    assert night.seconds == 2


def test_a_machine_that_was_deleted_is_left_once_azure_does_not_find_it() -> None:
    def prepare(azure: FakeAzure) -> None:
        later(3, lambda: azure.machines.pop(an_instance().key))

    night = spend(an_estate(a_machine("ci-ada"), a_machine("ci-bob")), prepare=prepare)

    assert night.outcomes == {"ci-ada": "left", "ci-bob": "stopped"}
    assert "deleted" in night.instance("ci-ada").detail
    assert night.instance("ci-ada").seen_at == after(10)
    assert [call for call in night.azure.calls if call.startswith("get_")] == [
        f"get_compute {an_instance().id}"
    ]


def test_a_machine_that_lists_omit_for_a_while_is_not_taken_for_deleted() -> None:
    def prepare(azure: FakeAzure) -> None:
        later(3, lambda: azure.unlisted.add("ci-ada"))
        later(62, azure.unlisted.clear)

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare)

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.instance("ci-ada").seconds == 65


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (None, "Azure still has it, Stopped."),
        (
            AzureRequestError("GET: 403", status=403),
            "whether it was deleted is not known: GET: 403.",
        ),
        (CredentialError("the secret has expired"), "the secret has expired"),
    ],
    ids=["still there", "not readable", "no credential"],
)
def test_a_machine_that_lists_omit_to_the_end_is_never_called_deleted(
    failure: Exception | None, words: str
) -> None:
    def prepare(azure: FakeAzure) -> None:
        def vanish() -> None:
            azure.unlisted.add("ci-ada")
            azure.failures.update({an_instance().key: failure} if failure else {})

        later(3, vanish)

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare, seconds=100)

    assert night.outcomes == {"ci-ada": "unresolved"}
    assert words in night.instance("ci-ada").detail


def test_nobody_waits_for_a_look_when_there_is_nothing_to_see() -> None:
    night = spend(an_estate(*(a_machine(f"ci-full{n}x", disk_full=True) for n in range(3))))

    assert set(night.outcomes.values()) == {"refused"}
    assert night.seconds == 0


@pytest.mark.parametrize("second", [0, 7])
def test_a_cancelled_run_leaves_no_request_behind(second: float) -> None:
    async def cut_short(shutdown: Shutdown) -> RunReport | None:
        task = asyncio.create_task(shutdown.run(RunOrder(), Occasion(trigger=Trigger.TIMER)))
        await asyncio.sleep(second)
        task.cancel()
        await asyncio.wait([task])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return await task

    crowd = a_crowd(PLACES * 2)
    stuck = hanging(*(each["name"] for each in crowd))
    night = carry_out(an_estate(*crowd), cut_short, prepare=stuck)

    assert isinstance(night.error, asyncio.CancelledError)
    assert night.seconds == second
