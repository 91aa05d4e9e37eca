"""What is decided about an instance in each state, and why."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compute.instance import Compute, InstanceState
from shared.compute.policy import Decision, Reason, Verdict, decide
from shared.compute.rulebook import Allowances, Rulebook
from tests.support.builders import NIGHT, a_workspace, an_instance

TABLE = {
    "Running": (Decision.STOP, Reason.RUNNING),
    "Unusable": (Decision.STOP, Reason.DEAD_END),
    "SetupFailed": (Decision.STOP, Reason.DEAD_END),
    "UserSetupFailed": (Decision.STOP, Reason.DEAD_END),
    "Starting": (Decision.RECHECK, Reason.IN_TRANSITION),
    "Restarting": (Decision.RECHECK, Reason.IN_TRANSITION),
    "Resizing": (Decision.RECHECK, Reason.IN_TRANSITION),
    "SettingUp": (Decision.RECHECK, Reason.IN_TRANSITION),
    "UserSettingUp": (Decision.RECHECK, Reason.IN_TRANSITION),
    "Creating": (Decision.RECHECK, Reason.IN_TRANSITION),
    None: (Decision.RECHECK, Reason.IN_TRANSITION),
    "Stopping": (Decision.RECHECK, Reason.STOPPING),
    "JobRunning": (Decision.LEAVE, Reason.JOB_RUNNING),
    "Stopped": (Decision.LEAVE, Reason.OFF),
    "Deleting": (Decision.LEAVE, Reason.DELETING),
    "CreateFailed": (Decision.LEAVE, Reason.CREATE_FAILED),
    "Unknown": (Decision.REPORT, Reason.STATE_UNKNOWN),
    "Hibernating": (Decision.REPORT, Reason.STATE_UNKNOWN),
}
OFF = {"Stopped", "Deleting", "CreateFailed"}
STATES = [*(str(state) for state in InstanceState), None, "Hibernating"]


def decided(compute: Compute, *, stop_job_running: bool = False) -> Verdict:
    """The decision of a shutdown "now", for which windows do not count."""
    allowances = Allowances(stop_job_running=stop_job_running)
    return decide(compute, book=Rulebook(by_the_book=False, allowances=allowances), at=NIGHT)


def test_the_table_covers_every_state_of_azure() -> None:
    assert TABLE.keys() == set(STATES)


@pytest.mark.parametrize("state", TABLE)
def test_a_state_has_one_decision_with_one_reason(state: str | None) -> None:
    verdict = decided(an_instance(state=state))

    assert (verdict.decision, verdict.reason) == TABLE[state]


@pytest.mark.parametrize("state", TABLE)
def test_every_decision_comes_with_a_sentence(state: str | None) -> None:
    text = decided(an_instance(state=state)).text

    assert " is " in text or " failed" in text or " state " in text
    assert text.endswith(".")


def test_a_state_that_azure_invents_is_named_in_the_reason() -> None:
    assert "Hibernating" in decided(an_instance(state="Hibernating")).text


@pytest.mark.parametrize("state", [s for s in STATES if s not in OFF])
@pytest.mark.parametrize("holder", ["instance", "workspace"])
def test_a_tag_keeps_an_instance_up_in_every_state(state: str | None, holder: str) -> None:
    tags = {"shutdown": "never"}
    workspace = a_workspace(tags=tags if holder == "workspace" else {})

    verdict = decided(
        an_instance(state=state, workspace=workspace, tags=tags if holder == "instance" else {})
    )

    assert (verdict.decision, verdict.reason) == (Decision.LEAVE, Reason.TAGGED_NEVER)
    assert holder in verdict.text


@pytest.mark.parametrize("state", sorted(OFF))
def test_what_is_off_already_is_off_whatever_its_tags_say(state: str) -> None:
    verdict = decided(an_instance(state=state, tags={"shutdown": "never"}))

    assert verdict.reason is TABLE[state][1]


@pytest.mark.parametrize(
    ("name", "value"),
    list(product(["shutdown", "Shutdown", "SHUTDOWN"], ["never", "Never", " NEVER "])),
)
def test_tags_are_read_without_case_and_blanks(name: str, value: str) -> None:
    verdict = decided(an_instance(tags={"team": "churn", name: value}))

    assert verdict.reason is Reason.TAGGED_NEVER


@pytest.mark.parametrize("value", ["", "nver", "always", "never again", "false"])
def test_any_other_value_of_the_tag_leaves_it_up_and_says_what_is_wrong(value: str) -> None:
    verdict = decided(an_instance(tags={"shutdown": value}))

    assert (verdict.decision, verdict.reason) == (Decision.LEAVE, Reason.TAG_MISCONFIGURED)
    assert "shutdown=never" in verdict.text


def test_another_tag_with_that_value_keeps_nothing_up() -> None:
    assert decided(an_instance(tags={"restart": "never"})).decision is Decision.STOP


def test_a_running_job_is_stopped_only_where_that_is_allowed() -> None:
    verdict = decided(an_instance(state="JobRunning"), stop_job_running=True)

    assert (verdict.decision, verdict.reason) == (Decision.STOP, Reason.JOB_MAY_BE_STOPPED)


@pytest.mark.parametrize("state", [s for s in STATES if s != "JobRunning"])
def test_leave_to_stop_jobs_changes_nothing_else(state: str | None) -> None:
    instance = an_instance(state=state)

    assert decided(instance, stop_job_running=True) == decided(instance)


def test_a_tag_wins_over_leave_to_stop_jobs() -> None:
    instance = an_instance(state="JobRunning", tags={"shutdown": "never"})

    assert decided(instance, stop_job_running=True).decision is Decision.LEAVE


@given(
    state=st.one_of(st.none(), st.sampled_from(STATES), st.text(min_size=1)),
    tags=st.dictionaries(st.text(), st.text(), max_size=3),
)
def test_whatever_azure_sends_there_is_a_decision(state: str | None, tags: dict[str, str]) -> None:
    verdict = decided(an_instance(state=state, tags=tags))

    assert verdict.decision in Decision
    assert verdict.text
