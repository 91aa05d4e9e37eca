"""Decide about one compute instance. Pure: no Azure, no clock, no settings.

Every branch has a reason from a closed set and a sentence, also "leave it".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.compute.instance import Compute, InstanceState

KEEP_TAG = "shutdown"
KEEP_VALUE = "never"


class Decision(StrEnum):
    """What to do with an instance in the state it was seen in."""

    STOP = "stop"
    LEAVE = "leave"
    RECHECK = "recheck"
    REPORT = "report"


class Reason(StrEnum):
    """Why. The README's decision table is tested against this set."""

    RUNNING = "running"
    DEAD_END = "dead_end"
    IN_TRANSITION = "in_transition"
    STOPPING = "stopping"
    JOB_RUNNING = "job_running"
    JOB_MAY_BE_STOPPED = "job_may_be_stopped"
    OFF = "off"
    DELETING = "deleting"
    CREATE_FAILED = "create_failed"
    TAGGED_NEVER = "tagged_never"
    STATE_UNKNOWN = "state_unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A decision, its reason, and the reason as a sentence for the instance's owner."""

    decision: Decision
    reason: Reason
    text: str


DEAD_ENDS = frozenset(
    {InstanceState.UNUSABLE, InstanceState.SETUP_FAILED, InstanceState.USER_SETUP_FAILED}
)
TRANSITIONS = frozenset(
    {
        InstanceState.STARTING,
        InstanceState.RESTARTING,
        InstanceState.RESIZING,
        InstanceState.SETTING_UP,
        InstanceState.USER_SETTING_UP,
        InstanceState.CREATING,
    }
)
_OFF: Mapping[str, Verdict] = {
    InstanceState.STOPPED: Verdict(
        decision=Decision.LEAVE, reason=Reason.OFF, text="It is stopped already."
    ),
    InstanceState.DELETING: Verdict(
        decision=Decision.LEAVE, reason=Reason.DELETING, text="It is being deleted."
    ),
    InstanceState.CREATE_FAILED: Verdict(
        decision=Decision.LEAVE,
        reason=Reason.CREATE_FAILED,
        text="Its creation failed: there is no machine to stop.",
    ),
}


def decide(compute: Compute, *, stop_job_running: bool = False) -> Verdict:
    """Decide by state and by the tag `shutdown=never` on the instance, then on its workspace."""
    off = _OFF.get(compute.state or "")
    if off is not None:
        return off
    holder = _kept_by(compute)
    if holder:
        return Verdict(
            decision=Decision.LEAVE,
            reason=Reason.TAGGED_NEVER,
            text=f"The {holder} is tagged {KEEP_TAG}={KEEP_VALUE}.",
        )
    return _decide_by_state(compute.state, stop_job_running=stop_job_running)


def _kept_by(compute: Compute) -> str:
    if _says_never(compute.tags):
        return "instance"
    return "workspace" if _says_never(compute.workspace.tags) else ""


def _says_never(tags: Mapping[str, str]) -> bool:
    return any(
        name.strip().lower() == KEEP_TAG and value.strip().lower() == KEEP_VALUE
        for name, value in tags.items()
    )


def _decide_by_state(state: str | None, *, stop_job_running: bool) -> Verdict:
    if state is None or state in TRANSITIONS:
        return Verdict(
            decision=Decision.RECHECK,
            reason=Reason.IN_TRANSITION,
            text=f"It is {state or 'being created'}: looked at again until it settles.",
        )
    if state in DEAD_ENDS:
        return Verdict(
            decision=Decision.STOP,
            reason=Reason.DEAD_END,
            text=f"It is {state}: it cannot be used and may still cost money; tried once.",
        )
    if state == InstanceState.JOB_RUNNING:
        return _decide_job(stop_job_running=stop_job_running)
    return _DECISIONS.get(state) or Verdict(
        decision=Decision.REPORT,
        reason=Reason.STATE_UNKNOWN,
        text=f"Azure reports its state as {state}: nothing is known about it.",
    )


_DECISIONS: Mapping[str, Verdict] = {
    InstanceState.RUNNING: Verdict(
        decision=Decision.STOP, reason=Reason.RUNNING, text="It is running and nothing keeps it up."
    ),
    InstanceState.STOPPING: Verdict(
        decision=Decision.RECHECK,
        reason=Reason.STOPPING,
        text="It is stopping already: watched until it is stopped.",
    ),
}


def _decide_job(*, stop_job_running: bool) -> Verdict:
    if stop_job_running:
        return Verdict(
            decision=Decision.STOP,
            reason=Reason.JOB_MAY_BE_STOPPED,
            text="It runs a job, and STOP_JOB_RUNNING allows to stop it.",
        )
    return Verdict(decision=Decision.LEAVE, reason=Reason.JOB_RUNNING, text="It is running a job.")
