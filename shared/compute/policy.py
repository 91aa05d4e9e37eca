"""Decide about one compute instance. Pure: no Azure, no clock of its own, no settings.

Every branch has a reason from a closed set and a sentence, also "leave it".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.compute.instance import Compute, InstanceState
from shared.compute.rulebook import Rule, Rulebook, Source


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
    JOB_OVERDUE = "job_overdue"
    JOB_MAY_BE_STOPPED = "job_may_be_stopped"
    OFF = "off"
    DELETING = "deleting"
    CREATE_FAILED = "create_failed"
    EXEMPTED = "exempted"
    TAGGED_NEVER = "tagged_never"
    TAG_MISCONFIGURED = "tag_misconfigured"
    IN_WINDOW = "in_window"
    STARTED_LATE = "started_late"
    JUST_STARTED = "just_started"
    STATE_UNKNOWN = "state_unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A decision, its reason, and the reason as a sentence for the instance's owner.

    `rule` is what said whether it may be up, None where its state alone decides. `until` is when an
    allowance ends that the decision rests on.
    """

    decision: Decision
    reason: Reason
    text: str
    rule: Rule | None = None
    until: datetime | None = None


Judge = Callable[[Compute, datetime], Verdict]

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
STARTS = frozenset({"Start", "Restart", "Create"})
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


def decide(compute: Compute, *, book: Rulebook, at: datetime) -> Verdict:
    """Decide what should be done at a moment with an instance that was seen so.

    1. What is off stays off. 2. The one rule that applies may keep it up. 3. Outside its window, a
    recent start may, or a running job. 4. Its state decides.
    """
    off = _OFF.get(compute.state or "")
    if off is not None:
        return off
    rule = book.rule(compute, at=at)
    if rule.keeps_up(at):
        reason, text = _why_kept(rule, at)
        return Verdict(decision=Decision.LEAVE, reason=reason, text=text, rule=rule)
    return _allow_start(compute, rule, book, at) or _decide_by_state(compute, rule, book, at)


def _why_kept(rule: Rule, at: datetime) -> tuple[Reason, str]:
    where = rule.source.replace("_", " ")
    if rule.exemption is not None:
        said = f"Exempted until {_shown(rule.exemption.until, rule)} by {rule.text}"
        return Reason.EXEMPTED, ": ".join(filter(None, (said, rule.exemption.reason)))
    if rule.misconfigured is not None:
        wrong = rule.misconfigured
        text = f"{where} {rule.text} cannot be understood: {wrong.problem}; {wrong.suggestion}."
        return Reason.TAG_MISCONFIGURED, f"Left up because its {text}"
    if rule.never:
        return Reason.TAGGED_NEVER, f"The {where.removesuffix(' tag')} is tagged {rule.text}."
    ends = rule.next_change(at)
    until = f"until {_shown(ends, rule)}" if ends else "at any time"
    return Reason.IN_WINDOW, f"It may be up {until} ({where}: {rule.text})."


def _allow_start(compute: Compute, rule: Rule, book: Rulebook, at: datetime) -> Verdict | None:
    """Leave what was started a short while ago, by anybody or by a user after its window."""
    last = compute.last_operation
    if not book.by_the_book or last is None or last.at is None or last.name not in STARTS:
        return None
    if at < (until := last.at + book.allowances.min_uptime):
        text = f"It was started a short while ago; left until {_shown(until, rule)}."
        return _leave_until(Reason.JUST_STARTED, text, rule, until)
    # Where no window ever opens, none has closed: such a machine may never be up.
    has_windows = rule.schedule is None or bool(rule.schedule.windows)
    by_user_outside = has_windows and last.trigger == "User" and not rule.keeps_up(last.at)
    if by_user_outside and at < (until := last.at + book.allowances.late_start):
        text = f"A user started it after its window closed; left until {_shown(until, rule)}."
        return _leave_until(Reason.STARTED_LATE, text, rule, until)
    return None


def _leave_until(reason: Reason, text: str, rule: Rule, until: datetime | None) -> Verdict:
    return Verdict(decision=Decision.LEAVE, reason=reason, text=text, rule=rule, until=until)


def _decide_by_state(compute: Compute, rule: Rule, book: Rulebook, at: datetime) -> Verdict:
    state = compute.state
    if state == InstanceState.JOB_RUNNING:
        return _decide_job(compute, rule, book, at)
    decision, reason, text = _by_state(state, rule)
    return Verdict(decision=decision, reason=reason, text=text, rule=rule)


def _by_state(state: str | None, rule: Rule) -> tuple[Decision, Reason, str]:
    if state is None or state in TRANSITIONS:
        text = f"It is {state or 'being created'}: looked at again until it settles."
        return Decision.RECHECK, Reason.IN_TRANSITION, text
    if state == InstanceState.STOPPING:
        text = "It is stopping already: watched until it is stopped."
        return Decision.RECHECK, Reason.STOPPING, text
    if state in DEAD_ENDS:
        text = f"It is {state}: it cannot be used and may still cost money; tried once."
        return Decision.STOP, Reason.DEAD_END, text
    if state == InstanceState.RUNNING:
        text = f"It is running and nothing keeps it up ({_said(rule)})."
        return Decision.STOP, Reason.RUNNING, text
    text = f"Azure reports its state as {state}: nothing is known about it."
    return Decision.REPORT, Reason.STATE_UNKNOWN, text


def _decide_job(compute: Compute, rule: Rule, book: Rulebook, at: datetime) -> Verdict:
    allowances = book.allowances
    if allowances.stop_job_running:
        text = "It runs a job, and STOP_JOB_RUNNING allows to stop it."
        return Verdict(
            decision=Decision.STOP, reason=Reason.JOB_MAY_BE_STOPPED, text=text, rule=rule
        )
    since = _job_counts_from(compute, rule, at) if book.by_the_book else None
    until = since + allowances.job_deadline if since else None
    if until is None or at < until:
        left = f"; left until {_shown(until, rule)}" if until else ""
        return _leave_until(Reason.JOB_RUNNING, f"It is running a job{left}.", rule, until)
    hours = allowances.job_deadline.total_seconds() / 3600
    text = f"Its job still runs {hours:g} hours after its window closed."
    decision = Decision.STOP if allowances.stop_overdue_jobs else Decision.LEAVE
    return Verdict(decision=decision, reason=Reason.JOB_OVERDUE, text=text, rule=rule)


def _job_counts_from(compute: Compute, rule: Rule, at: datetime) -> datetime | None:
    """Return when the window closed, or the last start if later; None if neither is known."""
    closed = rule.schedule.last_change(at) if rule.schedule else None
    last = compute.last_operation
    started = last.at if last and last.name in STARTS else None
    return max((moment for moment in (closed, started) if moment), default=None)


def _said(rule: Rule) -> str:
    if rule.source is Source.NOW:
        return "shut down now: windows do not count"
    return f"{rule.source.replace('_', ' ')}: {rule.text}"


def _shown(moment: datetime, rule: Rule) -> str:
    if rule.schedule is None:
        return f"{moment:%a %Y-%m-%d %H:%M} UTC"
    zone = rule.schedule.zone
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} {zone}"
