"""Tell operators what a round of health checks came to: availability, changes, and the round."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shared.metrics import Metric
from shared.scoring.round_report import Checked, RoundReport
from shared.scoring.state import Health, Mark, mark_of
from shared.shortening import shortened
from shared.telemetry import AvailabilityResult, Event, Property, Telemetry

logger = logging.getLogger(__name__)

MOST_CHARACTERS: Final = 1000


class RoundResult(StrEnum):
    """How a round did its own work; what it found of services is not its fault."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"


def result_of(report: RoundReport) -> RoundResult:
    """Return FAILED where our own side is sick or nobody was judged, PARTIAL where not all were."""
    # Whom an outage hides nobody tells of: the alert on missing checks takes FAILED for none.
    if report.outage or ((report.unchecked or report.amiss) and not report.services):
        return RoundResult.FAILED
    return RoundResult.SUCCEEDED if report.succeeded else RoundResult.PARTIAL


def what_went_wrong(report: RoundReport) -> str:
    """Say in a sentence why a round did not succeed; empty where it did."""
    unchecked = [f"{each.name}: {each.reason}" for each in report.unchecked]
    said = [report.outage, *report.amiss, *report.lost, *unchecked]
    return shortened("; ".join(filter(None, said)), MOST_CHARACTERS)


def tell_services(telemetry: Telemetry, report: RoundReport, *, location: str) -> None:
    """Tell how each service is; `location` is where they were checked from."""
    for each in report.services:
        _tell_service(telemetry, each, location=location)


def tell_round(
    telemetry: Telemetry, report: RoundReport, *, trigger: str, past_due: bool | None = None
) -> None:
    """Tell how the round went, after its services."""
    for lost in report.lost:
        telemetry.event(Event.HISTORY_LOST, operation="health checks", error=lost)
    _tell_outage(telemetry, report)
    _tell_end(telemetry, report, trigger=trigger, past_due=past_due)


def _tell_service(telemetry: Telemetry, checked: Checked, *, location: str) -> None:
    verdict = checked.judgement.verdict
    telemetry.measure(Metric.SCORING_SERVICES_CHECKED, 1, verdict=str(verdict))
    if checked.judgement.seconds is not None:
        telemetry.measure(
            Metric.SCORING_GOLDEN_SECONDS, checked.judgement.seconds, service=checked.name
        )
    # Our own outage is no service's lack of availability.
    if not checked.during_outage:
        _tell_availability(telemetry, checked, location)
    if checked.change is not None:
        _tell_change(telemetry, checked)


def _tell_availability(telemetry: Telemetry, checked: Checked, location: str) -> None:
    judgement, service = checked.judgement, checked.subject.service
    telemetry.availability(
        AvailabilityResult(
            name=checked.name,
            succeeded=mark_of(judgement.verdict) is not Mark.FAILED,
            seconds=_seconds(checked),
            location=location,
            message=f"{judgement.verdict}: {judgement.text}",
        ),
        group=service.group,
        owner=service.owner,
        kind=str(service.kind),
        verdict=str(judgement.verdict),
        evidence=str(judgement.evidence),
    )


def _seconds(checked: Checked) -> float:
    """Return how long the checks that count took, all together."""
    return sum(each.probe.seconds for each in checked.judgement.checks if each.probe)


def _tell_change(telemetry: Telemetry, checked: Checked) -> None:
    change, service = checked.change, checked.subject.service
    if change is None:
        return
    told: dict[str, Property | None] = {
        "service": checked.name,
        "group": service.group,
        "owner": service.owner,
        "kind": str(service.kind),
        "state_before": str(change.before),
        "state_after": str(change.after),
        "standing": str(change.standing),
        "alerts": change.alerts,
        "in_maintenance": change.in_maintenance,
        "verdict": str(change.verdict),
        "evidence": change.evidence,
        "text": change.text,
    }
    telemetry.event(Event.SCORING_SERVICE_CHANGED, **told)
    level = logging.INFO if change.after is Health.HEALTHY else logging.WARNING
    said = "%s: %s, was %s: %s"
    logger.log(level, said, checked.name, change.standing, change.before, change.text)


def _tell_outage(telemetry: Telemetry, report: RoundReport) -> None:
    if not report.outage:
        return
    failed = sum(mark_of(each.judgement.verdict) is Mark.FAILED for each in report.services)
    telemetry.event(
        Event.SCORING_ESTATE_UNREACHABLE,
        services=len(report.services),
        failed=failed,
        text=report.outage,
    )


def _tell_end(
    telemetry: Telemetry, report: RoundReport, *, trigger: str, past_due: bool | None
) -> None:
    seconds = (report.ended_at - report.started_at) / timedelta(seconds=1)
    marks = Counter(mark_of(each.judgement.verdict) for each in report.services)
    result, error = result_of(report), what_went_wrong(report)
    telemetry.measure(Metric.SCORING_ROUND_SECONDS, seconds)
    telemetry.event(
        Event.SCORING_ROUND_FINISHED,
        trigger=trigger,
        past_due=past_due,
        result=str(result),
        error=error or None,
        seconds=seconds,
        services=len(report.services) + len(report.unchecked),
        good=marks[Mark.GOOD],
        neutral=marks[Mark.NEUTRAL],
        failed=marks[Mark.FAILED],
        unchecked=len(report.unchecked),
    )
    if result is not RoundResult.SUCCEEDED:
        logger.error("the round of health checks %s: %s", result, error)
