"""The summary: what is wrong now, each part by itself; what is not known is never well."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.compute.policy import Reason
from shared.compute.recording import RunSummary
from shared.compute.report import Outcome, Result
from shared.compute.sighting import MOST, sight
from shared.dashboard.status import Severity, Status
from shared.errors import InvalidRequestError
from shared.scoring.redeploy.record import State
from tests.dashboard.seen import a_report, an_outcome
from tests.dashboard.stage import MINUTE, Overview
from tests.storage.runs import a_run
from tests.support.builders import NIGHT
from tests.support.redeploys import a_redeploy


async def test_a_calm_night_is_ok_and_shows_what_is_on_and_why(calm: Overview) -> None:
    summary = await calm.summary()

    assert (summary.status, summary.troubles) == (Status.OK, ())
    seen = summary.compute.last_seen
    assert seen is not None
    assert [(each.name, each.reason_text) for each in seen.still_on] == [
        ("ci", "It may be up until 23:00.")
    ]
    assert seen.still_on_by_reason == {Reason.IN_WINDOW: 1}
    assert (seen.saved.amount, seen.saved.currency) == (0, "EUR")
    assert [each.name for each in summary.scoring.services] == ["weight"]


async def test_storage_without_anything_is_unknown_and_not_well() -> None:
    summary = await Overview().summary()

    assert summary.status is Status.UNKNOWN
    assert summary.compute.status is summary.scoring.status is summary.app.status is Status.UNKNOWN
    assert {each.severity for each in summary.troubles} == {Severity.UNKNOWN}


@pytest.mark.parametrize("part", ["compute", "scoring", "redeploys"])
async def test_a_part_that_cannot_be_read_is_unknown_and_spares_the_others(
    calm: Overview, part: str
) -> None:
    {"compute": calm.history, "scoring": calm.states, "redeploys": calm.redeploys}[part].away = True

    summary = await calm.summary()

    statuses = {name: getattr(summary, name).status for name in ("compute", "scoring", "redeploys")}
    assert statuses.pop(part) is Status.UNKNOWN
    assert set(statuses.values()) == {Status.OK}
    assert summary.status is Status.UNKNOWN
    (trouble,) = summary.troubles
    called = "scoring services" if part == "scoring" else part
    assert trouble.text == f"Nothing is known of {called}."
    assert "503" in (trouble.reason or "")


async def test_an_error_of_this_apps_own_code_costs_its_part_only(calm: Overview) -> None:
    calm.states.states["weight"] = None  # type: ignore[assignment]  # as a mistake would

    summary = await calm.summary()

    assert summary.scoring.status is Status.UNKNOWN
    assert summary.scoring.error == "an unexpected error; the log has it"
    assert summary.compute.status is Status.OK


async def test_a_machine_that_did_not_stop_is_told_in_azures_words(calm: Overview) -> None:
    report = a_report(
        an_outcome("full", Outcome.REFUSED, detail="UserError: 400 disk is full."),
        an_outcome("fine"),
        unread="AuthorizationFailed",
    )
    calm.notes.texts["seen.compute"] = sight(report).model_dump_json()

    summary = await calm.summary()

    assert summary.status is summary.compute.status is Status.TROUBLE
    second, first = summary.troubles
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.CRITICAL)
    assert (first.text, first.reason) == (
        "full (ada) was not stopped: refused.",
        "UserError: 400 disk is full.",
    )
    assert first.detail == "/api/compute/runs/0199"
    assert (second.text, second.reason) == (
        "mlw-churn could not be read or tended in full.",
        "AuthorizationFailed",
    )


async def test_what_is_wrong_is_told_with_names_instead_of_arm_ids(calm: Overview) -> None:
    scope = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.X/workspaces/mlw"
    calm.tick("scoring_timer", error=f"mlw: GET {scope}/onlineEndpoints: 403")

    summary = await calm.summary()

    assert {each.reason for each in summary.troubles} == {"mlw: GET mlw/onlineEndpoints: 403"}


async def test_a_tick_that_failed_is_told_once_by_what_it_saw(calm: Overview) -> None:
    calm.tick("shutdown_timer", error="run 0199 partial: 1 instances seen")
    report = a_report(an_outcome("full", Outcome.REFUSED, detail="disk is full"))
    calm.notes.texts["seen.compute"] = sight(report).model_dump_json()

    summary = await calm.summary()

    assert [each.text for each in summary.troubles] == ["full (ada) was not stopped: refused."]


async def test_a_tick_that_failed_before_it_saw_anything_is_told(calm: Overview) -> None:
    calm.tick("shutdown_timer", error="Key Vault secret 'x' does not exist")

    summary = await calm.summary()

    (trouble,) = summary.troubles
    assert trouble.text == "The last tick of shutdown_timer failed."
    assert trouble.reason == "Key Vault secret 'x' does not exist"


def test_only_so_many_are_named_the_dearest_first_and_all_are_counted() -> None:
    many = [an_outcome(f"ci-{number:03}", price=float(number)) for number in range(MOST + 5)]
    sighting = sight(a_report(*many, an_outcome("off", state="Stopped")))

    assert len(sighting.still_on) == MOST
    assert sighting.still_on[0].name == f"ci-{MOST + 4}"
    assert sighting.still_on_by_reason == {Reason.IN_WINDOW: MOST + 5}


async def test_the_last_runs_are_listed_newest_first_and_a_failed_one_is_a_trouble(
    calm: Overview,
) -> None:
    older, newer = a_run("one", started_at=NIGHT - 5 * MINUTE), a_run("one", started_at=NIGHT)
    for run, result in ((older, Result.SUCCEEDED), (newer, Result.FAILED)):
        await calm.history.open_run(run, orders={})
        told = RunSummary(ended_at=NIGHT, error="nothing could be read")
        await calm.history.close_run(run.run_id, result=result, summary=told.model_dump_json())

    summary = await calm.summary()

    assert [each.run_id for each in summary.compute.runs] == [newer.run_id, older.run_id]
    (trouble,) = summary.troubles
    assert (trouble.text, trouble.reason) == (
        "The last run (timer) ended failed.",
        "nothing could be read",
    )
    assert trouble.detail == f"/api/compute/runs/{newer.run_id}"


async def test_redeploys_in_progress_and_recently_ended_are_shown(calm: Overview) -> None:
    going = a_redeploy("weight", at=NIGHT - MINUTE, state=State.WAITING)
    undone = a_redeploy(
        "other", at=NIGHT - 5 * MINUTE, state=State.UNDONE, is_closed=True, said="answers differ"
    )
    old = a_redeploy("third", at=NIGHT - timedelta(days=2), state=State.UNDONE, is_closed=True)
    for each in (going, undone, old):
        await calm.redeploys.open(each)

    summary = await calm.summary()

    assert [each.service for each in summary.redeploys.in_progress] == ["weight"]
    assert [each.service for each in summary.redeploys.ended] == ["other"]
    (trouble,) = summary.troubles
    assert (trouble.severity, trouble.text, trouble.reason) == (
        Severity.WARNING,
        "The redeploy of other ended undone.",
        "answers differ",
    )


async def test_a_redeploy_that_does_not_move_is_told_and_a_later_success_mends_an_undone_one(
    calm: Overview,
) -> None:
    stuck = a_redeploy("weight", at=NIGHT - 40 * MINUTE, state=State.WAITING)
    undone = a_redeploy("other", at=NIGHT - 9 * MINUTE, state=State.UNDONE, is_closed=True)
    mended = a_redeploy("other", at=NIGHT - 2 * MINUTE, state=State.SUCCEEDED, is_closed=True)
    for each in (stuck, undone, mended):
        await calm.redeploys.open(each)

    summary = await calm.summary()

    assert [each.text for each in summary.troubles] == [
        "The redeploy of weight is waiting and does not move."
    ]


async def test_the_answer_is_200_json_that_nobody_keeps_and_a_typo_is_refused(
    calm: Overview,
) -> None:
    calm.history.away = True

    reply = await calm.requests.answer({})

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert reply.headers == {"Cache-Control": "no-store"}
    with pytest.raises(InvalidRequestError):
        await calm.requests.answer({"since": "yesterday"})
