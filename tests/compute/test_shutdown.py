"""Stories of a night: what is stopped, what is left, and what is said about it."""

import uuid

import pytest

from shared.compute.answers import carry_out_scheduled
from shared.compute.order import RunOrder
from shared.compute.policy import Decision
from shared.compute.report import Outcome, Result, RunReport, WorkspaceResult
from shared.compute.rulebook import Allowances
from shared.compute.run import Rules
from shared.compute.run_id import new_run_id
from shared.compute.shutdown import Shutdown
from shared.errors import RunNotSucceededError
from tests.support.builders import NIGHT, a_workspace, after
from tests.support.night import a_machine, an_estate, carry_out, spend

TROUBLES = an_estate(
    a_machine("ci-full", disk_full=True),
    a_machine("ci-fails", stop_fails=True),
    a_machine("ci-hangs", never_stops=True),
    a_machine("ci-again", starts_again_after=27, started_by="User"),
    a_machine("ci-ada"),
    a_machine("ci-bob"),
    mlw_locked={"forbidden": True, "computes": [a_machine("ci-hidden")]},
    mlw_other=[a_machine("ci-eve")],
)


def test_a_running_instance_is_seen_stopped() -> None:
    night = spend(an_estate(a_machine("ci-ada")))

    ada = night.instance("ci-ada")
    assert (ada.decision, ada.outcome) == (Decision.STOP, Outcome.STOPPED)
    assert (ada.state_before, ada.state_after) == ("Running", "Stopped")
    assert ada.seconds == 30
    assert ada.seen_at == after(30)
    assert night.report.result is Result.SUCCEEDED
    assert night.asked == ["ci-ada"]


def test_a_night_with_nothing_to_do_succeeds_at_once() -> None:
    night = spend(an_estate(a_machine("ci-ada", state="Stopped")))

    assert night.outcomes == {"ci-ada": "left"}
    assert night.report.result is Result.SUCCEEDED
    assert night.seconds == 0


def test_an_empty_workspace_is_read_and_that_is_all() -> None:
    night = spend(an_estate())

    assert night.report.result is Result.SUCCEEDED
    assert [w.result for w in night.report.workspaces] == [WorkspaceResult.READ]
    assert night.report.counts.seen == 0


@pytest.mark.parametrize("past_due", [False, True], ids=["on time", "past due"])
def test_a_tick_stops_machines_whether_it_is_on_time_or_past_due(*, past_due: bool) -> None:
    async def tick(shutdown: Shutdown) -> RunReport | None:
        await carry_out_scheduled(shutdown, seconds=1500, past_due=past_due)
        return None

    night = carry_out(an_estate(a_machine("ci-ada")), tick)

    assert night.error is None
    assert night.azure.machine("ci-ada").compute.state == "Stopped"


def test_a_tick_fails_unless_all_came_to_a_good_end() -> None:
    async def tick(shutdown: Shutdown) -> RunReport | None:
        await carry_out_scheduled(shutdown, seconds=1500, past_due=False)
        return None

    night = carry_out(TROUBLES, tick)

    assert isinstance(night.error, RunNotSucceededError)
    assert "partial" in str(night.error)


def test_five_troubles_are_named_and_spare_all_others() -> None:
    night = spend(TROUBLES, seconds=200)

    assert night.outcomes == {
        "ci-full": "refused",
        "ci-fails": "stop_failed",
        "ci-hangs": "still_stopping",
        "ci-again": "started_again",
        "ci-ada": "stopped",
        "ci-bob": "stopped",
        "ci-eve": "stopped",
    }
    assert night.report.result is Result.PARTIAL
    (locked,) = [w for w in night.report.workspaces if w.result is WorkspaceResult.UNREADABLE]
    assert locked.id.endswith("mlw-locked")
    assert "AuthorizationFailed" in (locked.error or "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ci-full", "disk is full"),
        ("ci-fails", "could not be deallocated"),
        ("ci-hangs", "not stopped at the deadline"),
        ("ci-again", "Start by User at 2026-11-20T22:00:27Z"),
    ],
)
def test_every_trouble_gives_its_reason(name: str, words: str) -> None:
    night = spend(TROUBLES, seconds=200)

    assert words in night.instance(name).detail


def test_the_report_counts_what_happened() -> None:
    counts = spend(TROUBLES, seconds=200).report.counts

    assert (counts.seen, counts.stopped, counts.left) == (7, 3, 0)
    assert (counts.failed, counts.unresolved) == (2, 2)


def test_only_what_was_seen_stopped_is_saved() -> None:
    saved = spend(TROUBLES, seconds=200).report.saved

    assert (saved.amount, saved.currency, saved.per) == (1.5, "USD", "hour")


def test_jobs_tags_and_other_kinds_of_compute_are_left_alone() -> None:
    tagged = {**a_machine("ci-tagged"), "tags": {"Shutdown": "NEVER"}}
    cluster = {"name": "cpu-cluster", "compute_type": "AmlCompute"}
    estate = an_estate(a_machine("ci-job", state="JobRunning"), tagged, cluster)

    night = spend(estate)

    assert night.outcomes == {"ci-job": "left", "ci-tagged": "left"}
    assert night.report.counts.other_computes == 1
    assert night.asked == []
    assert night.report.result is Result.SUCCEEDED


def test_a_job_is_stopped_where_operators_allow_it() -> None:
    estate = an_estate(a_machine("ci-job", state="JobRunning"))

    night = spend(estate, rules=Rules(allowances=Allowances(stop_job_running=True)))

    assert night.outcomes == {"ci-job": "stopped"}


def test_a_tagged_workspace_is_left_alone_as_a_whole() -> None:
    home = {"tags": {"shutdown": "never"}, "computes": [a_machine("ci-ada")]}

    night = spend(an_estate(mlw_tagged=home))

    assert night.outcomes == {"ci-ada": "left"}


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("Starting", "stopped"),
        ("Creating", "stopped"),
        (None, "stopped"),
        ("Stopping", "already_stopped"),
        ("Unusable", "stopped"),
        ("CreateFailed", "left"),
    ],
)
def test_every_state_comes_to_its_good_end(state: str | None, outcome: str) -> None:
    night = spend(an_estate(a_machine("ci-ada", state=state)))

    assert night.outcomes == {"ci-ada": outcome}
    assert night.report.result is Result.SUCCEEDED


def test_what_never_settles_is_unresolved_at_the_deadline() -> None:
    night = spend(an_estate(a_machine("ci-ada", state="Restarting", never_settles=True)))

    assert night.outcomes == {"ci-ada": "unresolved"}
    assert night.asked == []


def test_a_refused_dead_end_names_the_way_out_and_its_price() -> None:
    night = spend(an_estate(a_machine("ci-ada", state="Unusable", refuses_stop=True)))

    detail = night.instance("ci-ada").detail
    assert "StopCompute is not allowed" in detail
    assert "Restart or delete it: it may cost 0.5 USD per hour." in detail
    assert night.asked == ["ci-ada"]


def test_a_conflict_that_clears_is_asked_until_it_does() -> None:
    night = spend(an_estate(a_machine("ci-ada", conflict_until=60)))

    assert night.outcomes == {"ci-ada": "stopped"}
    assert 2 < len(night.asked) < 10


def test_a_dry_run_reads_everything_and_touches_nothing() -> None:
    order = RunOrder(dry_run=True)
    estate = an_estate(a_machine("ci-ada"), a_machine("ci-job", state="JobRunning"))

    night = spend(estate, order)

    assert night.outcomes == {"ci-ada": "planned", "ci-job": "left"}
    assert night.asked == []
    assert night.report.dry_run
    assert night.report.saved.amount == 0.5
    assert night.report.counts.planned == 1


def test_a_plan_does_not_promise_to_save_what_stops_by_itself() -> None:
    estate = an_estate(a_machine("ci-ada", state="Stopping"), a_machine("ci-eve", state="Creating"))

    night = spend(estate, RunOrder(dry_run=True))

    assert night.report.saved.amount == 0


def test_reads_grow_with_workspaces_and_not_with_instances() -> None:
    few = spend(an_estate(*(a_machine(f"ci-{n}") for n in range(2))))
    many = spend(an_estate(*(a_machine(f"ci-{n}") for n in range(200))))

    def reads(calls: list[str]) -> int:
        return sum(not call.startswith("begin_stop") for call in calls)

    assert reads(many.azure.calls) == reads(few.azure.calls)
    assert len(many.asked) == 200


def test_the_report_writes_times_in_utc_and_ids_in_azures_spelling() -> None:
    night = spend(an_estate(a_machine("ci-ada")))

    written = night.report.model_dump(mode="json")
    assert written["started_at"] == "2026-11-20T22:00:00Z"
    assert written["instances"][0]["seen_at"] == "2026-11-20T22:00:30Z"
    assert written["workspaces"][0]["id"] == a_workspace().id


def test_run_ids_are_uuids_that_sort_by_time() -> None:
    earlier, later = new_run_id(NIGHT), new_run_id(after(0.001))

    assert earlier < later
    assert uuid.UUID(earlier).version == 7
    assert uuid.UUID(earlier).variant == uuid.RFC_4122
    assert new_run_id(NIGHT) != new_run_id(NIGHT)


def test_a_hub_that_is_never_stopped_keeps_what_a_project_lists_first() -> None:
    hub = {"tags": {"shutdown": "never"}, "computes": [a_machine("ci-hub")]}
    project, home = a_workspace().id.lower(), a_workspace("mlw-hub").id.lower()

    night = spend(
        an_estate(mlw_hub=hub), prepare=lambda azure: azure.mirrors.update({project: home})
    )

    assert night.instance("ci-hub").reason == "tagged_never"
    assert night.asked == []
