"""Services as callers see them: how they are, what the last rounds saw, how long they were up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from shared.scoring.examination import Subject
from shared.scoring.judgement import Proven, Verdict
from shared.scoring.maintenance import Maintenance
from shared.scoring.proof import proven_by
from shared.scoring.records import CheckRow
from shared.scoring.roster import Roster
from shared.scoring.round_log import RoundsReport
from shared.scoring.service import Kind, Thresholds
from shared.scoring.state import Health, ServiceState
from shared.scoring.uptime import RollUp, together, uptime

WINDOWS: Final = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
LAST_CHECKS: Final = 50


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class MaintenanceReport(_Shown):
    """A maintenance. `opened_by` is None where nobody was authenticated."""

    until: datetime
    seconds_left: int
    reason: str
    opened_by: str | None
    opened_at: datetime


class ServiceReport(_Shown):
    """How a service is.

    `state` is what it is to be called: unknown, healthy, unhealthy or flapping; `since` is when its
    health began. `verdict`, `evidence` and `text` are of the last round that judged it, all None
    before the first; it was at `checked_at`, `age_seconds` ago. `proven` is what that round proved:
    right answers, or only that somebody answers. `stale`: more than 15 minutes ago, so nothing here
    is of now.
    """

    name: str
    group: str
    owner: str | None
    kind: Kind
    url: str | None
    resource_id: str | None
    state: Health
    since: datetime | None
    verdict: Verdict | None
    evidence: str | None
    proven: Proven | None
    text: str | None
    checked_at: datetime | None
    age_seconds: int | None
    stale: bool
    maintenance_until: datetime | None


class ServiceList(_Shown):
    """All that are looked after. `problems`: what is amiss with the list itself."""

    rounds: RoundsReport
    services: tuple[ServiceReport, ...]
    source: str | None
    in_force_since: datetime | None
    problems: tuple[str, ...]
    passed_over: tuple[PassedOverReport, ...]


class PassedOverReport(_Shown):
    """A service found in Azure that is not looked after as such."""

    id: str
    reason: str


class UptimeReport(_Shown):
    """`percent` is of the known time; None where nothing is known."""

    since: datetime
    percent: float | None
    known_seconds: int
    unknown_seconds: int


class LatencyReport(_Shown):
    """Within how many seconds that many of the last day's golden answers came."""

    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    slowest_seconds: float | None


class CheckRowReport(_Shown):
    """What one round thought. `seconds`: its slowest golden answer."""

    at: datetime
    verdict: Verdict
    evidence: str
    text: str
    seconds: float | None
    in_maintenance: bool


class ServiceDetail(ServiceReport):
    """One service in full."""

    golden: tuple[str, ...]
    thresholds: Thresholds
    maintenance: MaintenanceReport | None
    uptime: dict[str, UptimeReport]
    latency: LatencyReport
    checks: tuple[CheckRowReport, ...]


@dataclass(frozen=True, kw_only=True)
class Past:
    """What is recorded of a service.

    `maintenance` is the one that is on; `rows` are newest first, `hours` those of the last month.
    """

    state: ServiceState
    maintenance: Maintenance | None
    rows: Sequence[CheckRow]
    hours: Sequence[RollUp]


def report_of(
    subject: Subject, state: ServiceState, *, maintenance_until: datetime | None, at: datetime
) -> ServiceReport:
    """Return how a service is."""
    return ServiceReport(**_head(subject, state, maintenance_until=maintenance_until, at=at))


def list_of(
    roster: Roster, reports: Sequence[ServiceReport], *, rounds: RoundsReport
) -> ServiceList:
    """Return the list of services."""
    return ServiceList(
        rounds=rounds,
        services=tuple(reports),
        source=roster.source or None,
        in_force_since=roster.since,
        problems=tuple(roster.problems),
        passed_over=tuple(
            PassedOverReport(id=each.id, reason=each.reason) for each in roster.passed_over
        ),
    )


def detail_of(subject: Subject, past: Past, *, at: datetime) -> ServiceDetail:
    """Return one service in full."""
    maintenance = past.maintenance
    day = [each for each in past.hours if each.hour > at - WINDOWS["24h"]]
    return ServiceDetail(
        **_head(
            subject,
            past.state,
            maintenance_until=maintenance.until if maintenance else None,
            at=at,
        ),
        golden=tuple(each.name for each in subject.rules.golden),
        thresholds=subject.service.thresholds,
        maintenance=maintenance_of(maintenance, at=at) if maintenance else None,
        uptime={name: _uptime(past.hours, at=at, over=over) for name, over in WINDOWS.items()},
        latency=_latency(together(day)),
        checks=tuple(_row(each) for each in past.rows[:LAST_CHECKS]),
    )


def maintenance_of(maintenance: Maintenance, *, at: datetime) -> MaintenanceReport:
    """Return a maintenance with the time left."""
    return MaintenanceReport(
        until=maintenance.until,
        seconds_left=max(0, int((maintenance.until - at).total_seconds())),
        reason=maintenance.reason,
        opened_by=maintenance.opened_by or None,
        opened_at=maintenance.opened_at,
    )


def _head(
    subject: Subject, state: ServiceState, *, maintenance_until: datetime | None, at: datetime
) -> dict[str, Any]:
    service = subject.service
    return {
        "name": service.name,
        "group": service.group,
        "owner": service.owner,
        "kind": service.kind,
        "url": subject.url or None,
        "resource_id": service.resource_id,
        "state": state.standing,
        "since": state.since,
        "verdict": state.verdict,
        "evidence": state.evidence or None,
        "proven": proven_by(state.evidence) if state.verdict else None,
        "text": state.text or None,
        "checked_at": state.checked_at,
        "age_seconds": _age(state.checked_at, at),
        "stale": state.is_stale(at),
        "maintenance_until": maintenance_until,
    }


def _age(seen: datetime | None, at: datetime) -> int | None:
    return None if seen is None else max(0, int((at - seen).total_seconds()))


def _uptime(hours: Sequence[RollUp], *, at: datetime, over: timedelta) -> UptimeReport:
    found = uptime(hours, at=at, over=over)
    return UptimeReport(
        since=found.since,
        percent=None if found.share is None else round(100 * found.share, 3),
        known_seconds=found.known_seconds,
        unknown_seconds=found.unknown_seconds,
    )


def _latency(day: RollUp | None) -> LatencyReport:
    if day is None or not any(day.latencies):
        return LatencyReport(
            p50_seconds=None, p95_seconds=None, p99_seconds=None, slowest_seconds=None
        )
    return LatencyReport(
        p50_seconds=day.latency_seconds(0.5),
        p95_seconds=day.latency_seconds(0.95),
        p99_seconds=day.latency_seconds(0.99),
        slowest_seconds=day.slowest_ms / 1000,
    )


def _row(row: CheckRow) -> CheckRowReport:
    return CheckRowReport(
        at=row.at,
        verdict=row.verdict,
        evidence=row.evidence,
        text=row.text,
        seconds=row.seconds,
        in_maintenance=row.in_maintenance,
    )
