"""Finding what a caller named in what the estate holds, before anything is stopped."""

from dataclasses import replace

import pytest

from shared.compute.instance import Workspace
from shared.compute.order import RunOrder
from shared.compute.report import Result, WorkspaceResult
from shared.compute.selection import choose_instances, choose_subscriptions, choose_workspaces
from shared.errors import AzureRequestError, InvalidRequestError, NothingEnumeratedError
from shared.telemetry import Event
from tests.support.builders import OTHER_SUBSCRIPTION, SUBSCRIPTION, a_workspace, an_instance
from tests.support.fake_azure import FakeAzure
from tests.support.night import Night, a_machine, an_estate, spend

CHURN, PRICING = a_workspace("mlw-churn"), a_workspace("mlw-pricing")
ADA, BOB = an_instance("ci-ada"), an_instance("ci-bob")
ADA_TOO = an_instance("ci-ada", workspace=PRICING)
ESTATE = an_estate(
    a_machine("ci-ada"), a_machine("ci-bob"), mlw_pricing=[a_machine("ci-ada"), a_machine("ci-eve")]
)


def refused(night: Night) -> InvalidRequestError:
    assert isinstance(night.error, InvalidRequestError)
    assert night.asked == []
    return night.error


def test_absent_means_all() -> None:
    assert choose_subscriptions([SUBSCRIPTION], None) == [SUBSCRIPTION]
    assert choose_workspaces([CHURN], None, unread=[]) == [CHURN]
    assert choose_instances([ADA], None, unread=[]) == [ADA]


@pytest.mark.parametrize("name", [SUBSCRIPTION.upper(), f"/subscriptions/{SUBSCRIPTION}/"])
def test_a_subscription_is_found_in_any_spelling_and_kept_in_azures(name: str) -> None:
    assert choose_subscriptions([SUBSCRIPTION, OTHER_SUBSCRIPTION], [name]) == [SUBSCRIPTION]


def test_a_subscription_that_is_not_visible_is_not_found() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        choose_subscriptions([SUBSCRIPTION], [SUBSCRIPTION, OTHER_SUBSCRIPTION])

    assert (raised.value.field, raised.value.status) == ("subscriptions[1]", 404)


@pytest.mark.parametrize("name", ["ci-bob", "CI-BOB", BOB.id, BOB.id.upper(), f"{BOB.id}/"])
def test_an_instance_is_found_by_name_or_id_in_any_spelling(name: str) -> None:
    assert choose_instances([ADA, BOB], [name], unread=[]) == [BOB]


def test_what_is_named_twice_is_chosen_once() -> None:
    assert choose_instances([ADA, BOB], ["ci-bob", BOB.id], unread=[]) == [BOB]


def test_a_name_with_several_matches_lists_them() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        choose_instances([ADA, ADA_TOO], ["ci-ada"], unread=[])

    assert (raised.value.field, raised.value.status) == ("instances[0]", 400)
    assert ADA.id in raised.value.detail
    assert ADA_TOO.id in raised.value.detail


def test_a_full_id_is_never_ambiguous() -> None:
    assert choose_instances([ADA, ADA_TOO], [ADA_TOO.id], unread=[]) == [ADA_TOO]


def test_one_compute_listed_by_two_workspaces_is_one_match() -> None:
    again = replace(ADA, id=ADA.id.upper(), workspace=PRICING)

    assert len(choose_instances([ADA, again], ["ci-ada"], unread=[])) == 1


def test_a_name_that_is_only_part_of_another_does_not_match() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        choose_instances([ADA], ["ci-ad"], unread=[])

    assert raised.value.status == 404


def test_a_compute_of_another_kind_cannot_be_named() -> None:
    cluster = replace(ADA, compute_type="AmlCompute")

    with pytest.raises(InvalidRequestError) as raised:
        choose_instances([cluster], ["ci-ada"], unread=[])

    assert (raised.value.field, raised.value.status) == ("instances", 400)
    assert "AmlCompute" in raised.value.detail


@pytest.mark.parametrize(("read", "status"), [([CHURN], 404), ([], 503)])
def test_what_is_not_found_says_what_could_not_be_read(read: list[Workspace], status: int) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        choose_workspaces(read, ["mlw-pricing"], unread=[f"/subscriptions/{OTHER_SUBSCRIPTION}"])

    assert raised.value.status == status
    assert OTHER_SUBSCRIPTION in raised.value.detail


def test_what_lies_in_an_unread_scope_is_not_said_to_be_missing() -> None:
    assert choose_instances([], [ADA.id], unread=[CHURN.id]) == []
    assert choose_workspaces([], [CHURN.id], unread=[CHURN.id.upper()]) == []


def test_a_scope_whose_name_begins_alike_is_another_one() -> None:
    with pytest.raises(InvalidRequestError):
        choose_instances(
            [], [an_instance(workspace=a_workspace("mlw-churn2")).id], unread=[CHURN.id]
        )


def test_only_what_was_named_is_stopped() -> None:
    night = spend(ESTATE, RunOrder(instances=["ci-bob", "ci-eve"]))

    assert night.outcomes == {"ci-bob": "stopped", "ci-eve": "stopped"}
    assert sorted(night.asked) == ["ci-bob", "ci-eve"]


def test_the_three_lists_narrow_each_other() -> None:
    night = spend(ESTATE, RunOrder(workspaces=["mlw-pricing"], instances=["ci-ada"]))

    assert [each.id for each in night.report.instances] == [ADA_TOO.id]


@pytest.mark.parametrize(
    ("order", "field", "status"),
    [
        (RunOrder(subscriptions=[OTHER_SUBSCRIPTION]), "subscriptions[0]", 404),
        (RunOrder(workspaces=["mlw-churn", "mlw-other"]), "workspaces[1]", 404),
        (RunOrder(instances=["ci-bob", "ci-nobody"]), "instances[1]", 404),
        (RunOrder(instances=["ci-bob", "ci-ada"]), "instances[1]", 400),
        (RunOrder(workspaces=["mlw-churn"], instances=["ci-eve"]), "instances[0]", 404),
    ],
)
def test_one_wrong_name_and_nothing_at_all_is_attempted(
    order: RunOrder, field: str, status: int
) -> None:
    error = refused(spend(ESTATE, order))

    assert (error.field, error.status) == (field, status)


def test_a_mistake_of_the_caller_is_no_failed_run() -> None:
    night = spend(ESTATE, RunOrder(instances=["ci-nobody"]))

    assert isinstance(night.error, InvalidRequestError)
    assert not night.telemetry.named(Event.COMPUTE_RUN_FINISHED)
    assert not night.telemetry.named(Event.COMPUTE_RUN_STARTED)


def test_what_was_not_named_is_no_part_of_the_result() -> None:
    locked = {"forbidden": True, "computes": []}
    estate = an_estate(a_machine("ci-ada"), mlw_locked=locked)

    by_workspace = spend(estate, RunOrder(workspaces=["mlw-churn"]))
    by_instance = spend(estate, RunOrder(instances=[ADA.id]))

    assert by_workspace.report.result is by_instance.report.result is Result.SUCCEEDED
    assert [w.id for w in by_instance.report.workspaces] == [CHURN.id]


def test_a_bare_name_may_also_stand_for_something_that_could_not_be_read() -> None:
    locked = {"forbidden": True, "computes": []}

    night = spend(an_estate(a_machine("ci-ada"), mlw_locked=locked), RunOrder(instances=["ci-ada"]))

    assert night.report.result is Result.PARTIAL
    assert {w.error is None for w in night.report.workspaces} == {True, False}


def test_an_unread_subscription_is_no_part_of_a_run_over_another_ones_workspace() -> None:
    second = {"id": OTHER_SUBSCRIPTION, "workspaces": []}
    estate = {**ESTATE, "subscriptions": [*ESTATE["subscriptions"], second]}

    def prepare(azure: FakeAzure) -> None:
        away = AzureRequestError("503", status=503, retryable=True)
        azure.failures[f"/subscriptions/{OTHER_SUBSCRIPTION}"] = away

    night = spend(estate, RunOrder(workspaces=[CHURN.id]), prepare=prepare)

    assert night.report.result is Result.SUCCEEDED


def test_a_named_workspace_that_cannot_be_read_is_reported() -> None:
    locked = {"forbidden": True, "computes": []}
    estate = an_estate(a_machine("ci-ada"), mlw_locked=locked)

    night = spend(estate, RunOrder(workspaces=["mlw-churn", "mlw-locked"]))

    assert night.report.result is Result.PARTIAL
    assert [w.result for w in night.report.workspaces].count(WorkspaceResult.UNREADABLE) == 1


def test_a_named_instance_in_a_workspace_that_cannot_be_read_is_a_failed_run() -> None:
    locked = {"forbidden": True, "computes": []}
    hidden = an_instance(workspace=a_workspace("mlw-locked"))

    night = spend(an_estate(mlw_locked=locked), RunOrder(instances=[hidden.id]))

    assert isinstance(night.error, NothingEnumeratedError)
