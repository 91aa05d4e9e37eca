"""A mistake of our own costs what it touches: it is named in the report, logged once, and spares the rest."""

import logging
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from shared.compute.order import RunOrder
from shared.compute.report import Outcome, Result, RunReport, Trigger, WorkspaceResult
from shared.compute.run import Occasion, Rules
from shared.compute.shutdown import Backing, Shutdown
from shared.errors import AzureRequestError, NothingEnumeratedError
from shared.telemetry import Event
from tests.support.builders import SUBSCRIPTION, a_workspace, an_instance
from tests.support.cluster_night import DAYTIME, a_cluster
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeClusterMinimums
from tests.support.night import Night, a_machine, an_estate, carry_out, later, spend

CHURN, OTHER = a_workspace().id.lower(), a_workspace("mlw-other").id.lower()
ADA = an_instance().key
TWO_WORKSPACES = an_estate(
    a_machine("ci-ada"), a_machine("ci-bob"), mlw_other=[a_machine("ci-eve")]
)
MISTAKE = ZeroDivisionError("sig=canary")


def troubles(night: Night) -> dict[str, str]:
    """What is wrong with each workspace, by name."""
    return {
        each.id.rpartition("/")[2]: each.error for each in night.report.workspaces if each.error
    }


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged with its traceback."""
    return [record.getMessage() for record in caplog.records if record.exc_info]


def confuse(azure: FakeAzure, name: str = "ci-ada") -> None:
    """Let a machine be of a form that nobody thought of."""
    machine = next(m for m in azure.machines.values() if m.compute.name == name)
    machine.compute = replace(machine.compute, tags=cast("Any", None))


def test_a_list_that_cannot_be_understood_costs_its_workspace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    night = spend(TWO_WORKSPACES, prepare=lambda azure: azure.failures.update({CHURN: MISTAKE}))

    assert night.outcomes == {"ci-eve": "stopped"}
    assert night.report.result is Result.PARTIAL
    assert "ZeroDivisionError" in troubles(night)["mlw-churn"]
    (unread,) = [w for w in night.report.workspaces if w.result is WorkspaceResult.UNREADABLE]
    assert unread.id.lower() == CHURN
    assert len(logged(caplog)) == 1


def test_workspaces_that_cannot_be_understood_at_all_are_a_failed_run() -> None:
    night = spend(
        TWO_WORKSPACES,
        prepare=lambda azure: azure.failures.update({f"/subscriptions/{SUBSCRIPTION}": MISTAKE}),
    )

    assert isinstance(night.error, NothingEnumeratedError)
    assert "ZeroDivisionError" in str(night.error)


def test_a_mistake_about_one_stop_costs_one_machine(caplog: pytest.LogCaptureFixture) -> None:
    night = spend(
        TWO_WORKSPACES,
        prepare=lambda azure: azure.failures.update({ADA: MISTAKE}),
        seconds=300,
    )

    assert night.outcomes == {"ci-ada": "unresolved", "ci-bob": "stopped", "ci-eve": "stopped"}
    assert night.instance("ci-bob").seconds == 30
    assert "ZeroDivisionError" in night.instance("ci-ada").detail
    assert troubles(night).keys() == {"mlw-churn"}
    assert logged(caplog) == [
        f"an unexpected error in {a_workspace().id}: ZeroDivisionError about ci-ada"
    ]


def test_a_mistake_about_a_stop_that_took_effect_does_not_hide_it() -> None:
    def prepare(azure: FakeAzure) -> None:
        azure.failures[ADA] = MISTAKE
        later(1, lambda: azure.machine("ci-ada").stop(azure.now()))

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare)

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.report.result is Result.PARTIAL


def test_a_mistake_about_looks_does_not_end_them(caplog: pytest.LogCaptureFixture) -> None:
    def prepare(azure: FakeAzure) -> None:
        later(8, lambda: azure.failures.update({CHURN: MISTAKE}))
        later(50, azure.failures.clear)

    night = spend(TWO_WORKSPACES, prepare=prepare)

    assert set(night.outcomes.values()) == {"stopped"}
    assert night.report.result is Result.PARTIAL
    assert len(logged(caplog)) == 1


def test_a_machine_of_which_nothing_can_be_decided_spares_its_neighbours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    night = spend(TWO_WORKSPACES, prepare=confuse)

    assert night.outcomes == {"ci-bob": "stopped", "ci-eve": "stopped"}
    assert night.report.result is Result.PARTIAL
    assert "about ci-ada" in troubles(night)["mlw-churn"]
    assert len(logged(caplog)) == 1


def test_a_machine_of_which_nothing_can_be_decided_any_more_spares_its_neighbours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    estate = an_estate(
        a_machine("ci-ada", state="Starting", never_settles=True), a_machine("ci-bob")
    )

    night = spend(estate, prepare=lambda azure: later(3, lambda: confuse(azure)), seconds=200)

    assert night.outcomes == {"ci-ada": "unresolved", "ci-bob": "stopped"}
    assert night.instance("ci-bob").seconds == 30
    assert len(logged(caplog)) == 1


def test_prices_that_cannot_be_understood_stop_nothing() -> None:
    place = f"/subscriptions/{SUBSCRIPTION}/westeurope"

    night = spend(TWO_WORKSPACES, prepare=lambda azure: azure.failures.update({place: MISTAKE}))

    assert set(night.outcomes.values()) == {"stopped"}
    assert night.report.result is Result.PARTIAL


def test_a_mistake_about_a_cluster_keeps_no_machine_up_and_spares_the_other_clusters() -> None:
    def tick(shutdown: Shutdown) -> Coroutine[Any, Any, RunReport]:
        return shutdown.run(RunOrder(respect_schedule=True), Occasion(trigger=Trigger.TIMER))

    refusal = AzureRequestError("PATCH: 403: no right", status=403, code="AuthorizationFailed")
    failures = {an_instance("cpu").key: MISTAKE, an_instance("gpu").key: refusal}
    night = carry_out(
        an_estate(a_machine("ci-ada"), a_cluster(), a_cluster("gpu"), a_cluster("tpu")),
        tick,
        prepare=lambda azure: azure.failures.update(failures),
        rules=Rules(cluster_off_hours=True, default_schedule=DAYTIME),
        backing=Backing(minimums=FakeClusterMinimums()),
    )

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.report.result is Result.PARTIAL
    assert troubles(night)["mlw-churn"] == (
        "cluster cpu: an unexpected error of this app, ZeroDivisionError about cpu; the log has it; "
        "cluster gpu: PATCH: 403: no right"
    )
    ended = night.telemetry.named(Event.COMPUTE_CLUSTER_OUTCOME)
    assert {said["cluster"]: said["outcome"] for said in ended} == {
        "cpu": "unresolved",
        "gpu": "refused",
        "tpu": "scaled_down",
    }


def test_guard_rails_that_cannot_be_understood_spoil_no_plan() -> None:
    def unrailed(azure: FakeAzure) -> None:
        machine = azure.machines[ADA]
        machine.compute = replace(machine.compute, guard_rails=cast("Any", None))

    plan = RunOrder(dry_run=True, respect_schedule=True)
    night = spend(TWO_WORKSPACES, plan, prepare=unrailed)

    assert set(night.outcomes.values()) == {"planned"}
    assert troubles(night).keys() == {"mlw-churn"}


def test_a_pursuit_that_cannot_go_on_says_what_it_saw_last(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = Rules(poll=cast("timedelta", None))

    night = spend(an_estate(a_machine("ci-ada", state="Starting")), rules=rules)

    ada = night.instance("ci-ada")
    assert ada.outcome is Outcome.UNRESOLVED
    assert ada.detail.startswith("It was last seen Starting: an unexpected error of this app")
    assert "TypeError" in ada.detail
    assert night.report.result is Result.PARTIAL
    assert len(logged(caplog)) == 1


def test_what_an_unexpected_error_says_is_in_no_report_and_no_event() -> None:
    night = spend(
        TWO_WORKSPACES,
        prepare=lambda azure: azure.failures.update({ADA: MISTAKE, OTHER: MISTAKE}),
        seconds=100,
    )

    assert "canary" not in night.report.model_dump_json()
    assert "canary" not in str([each.properties for each in night.telemetry.events])
    assert night.telemetry.named(Event.COMPUTE_RUN_FINISHED)[0]["result"] == "partial"


def test_a_tick_that_stumbles_is_not_silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    estate = an_estate(a_machine("ci-off", state="Stopped"), mlw_other=[a_machine("ci-eve")])

    night = spend(estate, prepare=lambda azure: confuse(azure, "ci-off"))

    assert "mlw-churn" in troubles(night)
    assert night.telemetry.named(Event.COMPUTE_RUN_STARTED)
