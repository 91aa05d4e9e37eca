"""A tag that was meant for us and cannot be understood: the machine stays up, and that is told."""

import pytest

from tests.end_to_end.estate import (
    Document,
    a_workspace,
    an_estate,
    an_instance,
    instance_id,
    workspace_id,
)
from tests.end_to_end.observed import (
    event_names,
    events,
    instances,
    metrics,
    states,
    stop_requests,
)
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

METRIC = "compute.tags.misconfigured"
WRONG = {
    "hours that are none": ("uptime", "Mon-Fri 8 to late"),
    "a zone that is none": ("uptime", "Mon-Fri 08:00-18:00 Atlantis"),
    "another scheduler's tag": ("auto-shutdown", "19:00"),
    "a word that is none of ours": ("shutdown", "nevr"),
    "a name with a slip of the pen": ("uptme", "Mon-Fri 08:00-18:00 UTC"),
}


def tagged(name: str, *, state: str = "Running", **tags: str) -> Document:
    return {**an_instance(name, state=state), "tags": tags}


@pytest.mark.parametrize(("tag", "value"), WRONG.values(), ids=WRONG.keys())
def test_a_night_leaves_the_machine_up_and_tells_its_tag(
    emulator: EmulatorProcess, host: LocalHost, tag: str, value: str
) -> None:
    odd = tagged("ci-ada", **{tag: value})
    emulator.seed(an_estate(a_workspace("mlw-churn", odd, an_instance("ci-bob"))))

    status = host.fire_timer("shutdown_timer")

    (told,) = events(emulator, "compute.tag.misconfigured")
    assert status["status"] == "succeeded"
    assert states(emulator) == {"ci-ada": "Running", "ci-bob": "Stopped"}
    assert (told["tag"], told["value"]) == (tag, value)
    assert told["resource_id"] == instance_id("mlw-churn", "ci-ada")
    assert told["problem"]
    assert metrics(emulator)[METRIC] == 1


def test_a_tick_with_nothing_to_do_counts_the_tag_and_says_no_more(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", tagged("ci-ada", uptime="late"))))

    status = host.fire_timer("shutdown_timer")

    assert (status["status"], states(emulator)) == ("succeeded", {"ci-ada": "Running"})
    assert event_names(emulator) == []
    assert metrics(emulator)[METRIC] == 1


def test_a_workspaces_tag_keeps_all_its_machines_up_and_is_told_once(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    odd = a_workspace(
        "mlw-churn", an_instance("ci-ada"), an_instance("ci-bob"), tags={"uptime": "late"}
    )
    emulator.seed(an_estate(odd, a_workspace("mlw-pricing", an_instance("ci-cy"))))

    host.fire_timer("shutdown_timer")

    (told,) = events(emulator, "compute.tag.misconfigured")
    assert stop_requests(emulator) == ["ci-cy"]
    assert told["resource_id"] == workspace_id("mlw-churn")
    assert metrics(emulator)[METRIC] == 1


def test_a_shutdown_now_leaves_it_too_and_the_report_says_what_to_write(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    odd = tagged("ci-ada", **{"auto-shutdown": "19:00"})
    emulator.seed(an_estate(a_workspace("mlw-churn", odd, an_instance("ci-bob"))))

    report = host.post("/api/compute/shutdown").json()

    ada = instances(report)["ci-ada"]
    assert stop_requests(emulator) == ["ci-bob"]
    assert (ada["decision"], ada["reason"], ada["outcome"]) == (
        "leave",
        "tag_misconfigured",
        "left",
    )
    assert "uptime=" in ada["reason_text"]


def test_an_understood_tag_is_not_counted(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", tagged("ci-ada", uptime="none", team="ops"))))

    host.fire_timer("shutdown_timer")

    assert stop_requests(emulator) == ["ci-ada"]
    assert events(emulator, "compute.tag.misconfigured") == []
    assert METRIC not in metrics(emulator)
