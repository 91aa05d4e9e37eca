"""Nights on which Azure cannot be read, hangs or does not answer: bounded, truthful, sparing."""

import asyncio
from datetime import timedelta

import pytest

from shared.compute.order import RunOrder
from shared.compute.report import Result, RunReport, Trigger, WorkspaceResult
from shared.compute.run import Occasion
from shared.compute.shutdown import Shutdown
from shared.errors import AzureRequestError, CredentialError, NothingEnumeratedError
from shared.telemetry import Event
from tests.support.builders import SUBSCRIPTION, a_workspace, an_instance
from tests.support.fake_azure import FakeAzure
from tests.support.night import Night, Prepare, a_machine, an_estate, carry_out, later, spend

CHURN = a_workspace().id.lower()
OTHER = a_workspace("mlw-other").id.lower()
ADA = an_instance().key
TWO_WORKSPACES = an_estate(a_machine("ci-ada"), mlw_other=[a_machine("ci-eve")])


def error(status: int | None = 500, *, retryable: bool = True) -> AzureRequestError:
    return AzureRequestError(f"GET: {status}", status=status, code="Odd", retryable=retryable)


def failing(scope_id: str, why: Exception) -> Prepare:
    return lambda azure: azure.failures.update({scope_id.lower(): why})


def finished(night: Night) -> object:
    """The result that the one finished event says."""
    (told,) = night.telemetry.named(Event.COMPUTE_RUN_FINISHED)
    return told["result"]


def test_a_workspace_that_cannot_be_read_spares_the_others() -> None:
    night = spend(TWO_WORKSPACES, prepare=failing(CHURN, error(403)))

    assert night.outcomes == {"ci-eve": "stopped"}
    assert night.report.result is Result.PARTIAL


def test_a_subscription_that_cannot_be_read_spares_the_others() -> None:
    estate = {**TWO_WORKSPACES}
    second = {"id": "c2d9e7f3-6b14-4a80-8e5d-91f0a3b7c864", "workspaces": []}
    estate["subscriptions"] = [*TWO_WORKSPACES["subscriptions"], second]

    night = spend(estate, prepare=failing(f"/subscriptions/{second['id']}", error(500)))

    assert night.outcomes == {"ci-ada": "stopped", "ci-eve": "stopped"}
    assert night.report.result is Result.PARTIAL
    unread = [w.id for w in night.report.workspaces if w.result is WorkspaceResult.UNREADABLE]
    assert unread == [f"/subscriptions/{second['id']}"]


def test_no_visible_subscription_is_a_failure_and_not_an_empty_night() -> None:
    night = spend({"subscriptions": []})

    assert isinstance(night.error, NothingEnumeratedError)
    assert not night.error.retryable
    assert "may have lost its role" in str(night.error)
    assert finished(night) == "failed"


@pytest.mark.parametrize(
    ("why", "retryable"),
    [
        (error(503), True),
        (error(401, retryable=False), False),
        (CredentialError("the secret has expired"), False),
        (CredentialError("the vault is away", retryable=True), True),
    ],
    ids=["azure is away", "azure refuses", "no credential", "no vault"],
)
def test_subscriptions_that_cannot_be_listed_are_a_failure(
    why: Exception, *, retryable: bool
) -> None:
    night = spend(TWO_WORKSPACES, prepare=failing("/subscriptions", why))

    assert isinstance(night.error, NothingEnumeratedError)
    assert night.error.retryable is retryable
    assert str(why) in str(night.error)
    assert finished(night) == "failed"


@pytest.mark.parametrize("retryable", [True, False])
def test_nothing_that_can_be_read_is_a_failure(*, retryable: bool) -> None:
    def prepare(azure: FakeAzure) -> None:
        azure.failures.update({CHURN: error(403, retryable=False)})
        azure.failures.update({OTHER: error(500, retryable=retryable)})

    night = spend(TWO_WORKSPACES, prepare=prepare)

    assert isinstance(night.error, NothingEnumeratedError)
    assert night.error.retryable is retryable
    assert "None of 2" in str(night.error)
    assert finished(night) == "failed"


def test_the_error_of_a_failed_run_has_the_id_under_which_its_telemetry_is_found() -> None:
    night = spend({"subscriptions": []})

    assert isinstance(night.error, NothingEnumeratedError)
    assert {event.properties["run_id"] for event in night.telemetry.events} == {night.error.run_id}


def test_a_workspace_that_hangs_does_not_hold_up_the_others() -> None:
    night = spend(TWO_WORKSPACES, prepare=lambda azure: azure.hanging.add(CHURN))

    assert night.outcomes == {"ci-eve": "stopped"}
    assert night.instance("ci-eve").seconds == 30
    assert night.report.result is Result.PARTIAL


def test_a_run_is_over_shortly_after_its_deadline_whatever_hangs() -> None:
    def prepare(azure: FakeAzure) -> None:
        later(10, lambda: azure.hanging.update({CHURN, OTHER}))

    night = spend(TWO_WORKSPACES, prepare=prepare, seconds=200)

    assert night.outcomes == {"ci-ada": "still_stopping", "ci-eve": "still_stopping"}
    assert night.seconds <= 215


def test_prices_that_hang_delay_a_report_by_twenty_seconds_at_most() -> None:
    estate = an_estate(a_machine("ci-ada", state="Stopped"))
    place = f"/subscriptions/{SUBSCRIPTION}/westeurope"

    night = spend(estate, prepare=lambda azure: azure.hanging.add(place))

    assert night.seconds <= 20
    assert night.report.result is Result.SUCCEEDED
    assert night.instance("ci-ada").price_per_hour is None


def test_looks_that_fail_for_a_while_change_no_outcome() -> None:
    def prepare(azure: FakeAzure) -> None:
        later(8, lambda: azure.failures.update({CHURN: error(502)}))
        later(50, azure.failures.clear)

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare)

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.asked == ["ci-ada"]
    assert night.report.result is Result.SUCCEEDED


def test_what_nobody_could_look_at_again_is_not_called_stopped() -> None:
    def prepare(azure: FakeAzure) -> None:
        later(8, lambda: azure.failures.update({CHURN: error(502)}))

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare, seconds=100)

    (ada,) = night.report.instances
    assert night.outcomes == {"ci-ada": "still_stopping"}
    assert night.azure.machine("ci-ada").compute.state == "Stopped"
    assert ada.seen_at < night.report.ended_at - timedelta(seconds=60)
    assert ada.detail == f"It had not stopped when it was last seen, at {ada.seen_at:%FT%TZ}."


def test_a_stop_that_was_cut_after_its_effect_is_not_sent_again() -> None:
    night = spend(
        an_estate(a_machine("ci-ada")),
        prepare=lambda azure: azure.cuts.update({"ci-ada": "after_effect"}),
    )

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.asked == ["ci-ada"]


def test_a_stop_that_was_cut_before_its_effect_is_sent_again_after_a_minute() -> None:
    night = spend(
        an_estate(a_machine("ci-ada")),
        prepare=lambda azure: azure.cuts.update({"ci-ada": "before_effect"}),
    )

    assert night.outcomes == {"ci-ada": "stopped"}
    assert night.asked == ["ci-ada", "ci-ada"]
    assert 60 <= night.seconds <= 100


def test_a_stop_that_could_not_be_sent_for_a_while_is_sent_later() -> None:
    def prepare(azure: FakeAzure) -> None:
        azure.failures.update({ADA: CredentialError("the vault is away", retryable=True)})
        later(45, azure.failures.clear)

    night = spend(an_estate(a_machine("ci-ada")), prepare=prepare)

    assert night.outcomes == {"ci-ada": "stopped"}


def test_a_stop_that_could_never_be_sent_is_unresolved_and_says_why() -> None:
    night = spend(
        an_estate(a_machine("ci-ada")),
        prepare=failing(ADA, CredentialError("the secret has expired")),
        seconds=100,
    )

    assert night.outcomes == {"ci-ada": "unresolved"}
    assert "not sent" in night.instance("ci-ada").detail
    assert "the secret has expired" in night.instance("ci-ada").detail


def test_a_run_past_its_deadline_asks_nothing_any_more() -> None:
    night = spend(TWO_WORKSPACES, prepare=lambda azure: azure.hanging.update({CHURN}), seconds=1)

    assert "ci-ada" not in night.asked
    assert night.seconds <= 12


def test_a_cancelled_run_says_that_it_did_not_succeed_and_leaves_nothing_behind() -> None:
    async def cut_short(shutdown: Shutdown) -> RunReport | None:
        task = asyncio.create_task(shutdown.run(RunOrder(), Occasion(trigger=Trigger.TIMER)))
        await asyncio.sleep(7)
        task.cancel()
        try:
            return await task
        finally:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert not others

    night = carry_out(TWO_WORKSPACES, cut_short)

    assert isinstance(night.error, asyncio.CancelledError)
    assert finished(night) == "failed"
    assert night.seconds == 7


def test_a_compute_that_two_workspaces_list_is_stopped_and_reported_once() -> None:
    night = spend(
        an_estate(a_machine("ci-ada"), mlw_other=[]),
        prepare=lambda azure: azure.mirrors.update({OTHER: CHURN}),
    )

    assert [each.outcome for each in night.report.instances] == ["stopped"]
    assert len(night.asked) == 1
