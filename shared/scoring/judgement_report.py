"""A check that was made now, as callers see it: what was asked, what came back, what it proves."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.scoring.judgement import Check, Judgement, Proven, Verdict
from shared.scoring.proof import proven_by


class CheckReport(BaseModel):
    """One question of a check, and what came back."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    contact: str | None
    status: int | None
    seconds: float | None
    connect_seconds: float | None
    certificate_ends: datetime | None
    detail: str | None
    error_text: str | None
    mismatches: tuple[str, ...]


class JudgementReport(BaseModel):
    """A check that was made now. `proven`: without golden requests only that it answers."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    proven: Proven
    evidence: str
    text: str
    at: datetime
    seconds: float | None
    checks: tuple[CheckReport, ...]


def judgement_of(name: str, judgement: Judgement) -> JudgementReport:
    """Return a check that was made now."""
    return JudgementReport(
        name=name,
        verdict=judgement.verdict,
        proven=proven_by(judgement.evidence),
        evidence=str(judgement.evidence),
        text=judgement.text,
        at=judgement.at,
        seconds=judgement.seconds,
        checks=tuple(map(_check, judgement.checks)),
    )


def _check(check: Check) -> CheckReport:
    probe = check.probe
    return CheckReport(
        kind=str(check.kind),
        name=check.name,
        contact=str(probe.contact) if probe else None,
        status=probe.status if probe else None,
        seconds=probe.seconds if probe else None,
        connect_seconds=probe.connect_seconds if probe else None,
        certificate_ends=probe.certificate_ends if probe else None,
        detail=(probe.detail or None) if probe else None,
        error_text=check.error_text or None,
        mismatches=check.mismatches,
    )
