"""A redeploy as callers see it: how far it is, what was seen, who asked for it and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.scoring.redeploy.record import (
    Ground,
    Proof,
    Redeploy,
    Refusal,
    State,
    StepNote,
    Task,
    Trigger,
)
from shared.scoring.service import Kind

PATH = "/api/scoring/redeploys"


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class RefusalReport(_Report):
    """One ground on which it was refused."""

    ground: Ground
    text: str
    retry_after_seconds: int | None


class ProofReport(_Report):
    """One examination with golden requests."""

    at: datetime
    passed: bool
    verdict: str
    evidence: str
    text: str


class StepReport(_Report):
    """What one step saw; the same seen again is counted."""

    step: int
    at: datetime
    last_at: datetime
    task: Task
    state: State
    text: str
    times: int


class EvidenceReport(_Report):
    """What the new one and the old one answered, and what the platform last said."""

    new: tuple[ProofReport, ...]
    old: tuple[ProofReport, ...]
    platform: tuple[str, ...]


class RedeployReport(_Report):
    """One redeploy. `text` says why it ended as it did, or why it is being undone.

    `done`: it has ended, and its service is free. `asked_by` and `aborted_by` are None where nobody
    was authenticated. `digest_after` is what the platform last said that runs. `next` and
    `previous` are redeploys of other stages.
    """

    redeploy_id: str
    service: str
    kind: Kind
    state: State
    done: bool
    text: str
    change: str
    target: str | None
    dry_run: bool
    reason: str
    trigger: Trigger
    asked_by: str | None
    aborting: bool
    aborted_by: str | None
    created_at: datetime
    ended_at: datetime | None
    image_before: str | None
    digest_before: str | None
    digest_after: str | None
    refusals: tuple[RefusalReport, ...]
    evidence: EvidenceReport
    steps: tuple[StepReport, ...]
    stages: tuple[str, ...]
    previous: str | None
    next: str | None


class RedeployList(_Report):
    """Redeploys of a service, newest first."""

    redeploys: tuple[RedeployReport, ...]


def report_of(redeploy: Redeploy, *, aborting: bool = False) -> RedeployReport:
    """Return a redeploy as callers see it; `aborting`: an abort was asked for."""
    snapshot = redeploy.snapshot
    abort = redeploy.aborted
    return RedeployReport(
        redeploy_id=redeploy.redeploy_id,
        service=redeploy.service.name,
        kind=redeploy.service.kind,
        state=redeploy.state,
        done=redeploy.is_closed,
        text=redeploy.said,
        change=redeploy.change.kind,
        target=redeploy.change.target or None,
        dry_run=redeploy.dry_run,
        reason=redeploy.reason,
        trigger=redeploy.trigger,
        asked_by=redeploy.asked_by or None,
        aborting=aborting or abort is not None,
        aborted_by=(abort.by or None) if abort else None,
        created_at=redeploy.created_at,
        ended_at=redeploy.ended_at,
        image_before=snapshot.image if snapshot else None,
        digest_before=snapshot.digest if snapshot else None,
        digest_after=redeploy.digest_after,
        refusals=tuple(map(_refusal, redeploy.refusals)),
        evidence=_evidence(redeploy),
        steps=tuple(map(_step, redeploy.steps)),
        stages=redeploy.stages,
        previous=_location(redeploy.previous_id),
        next=_location(redeploy.next_id),
    )


def location_of(redeploy: Redeploy) -> str:
    """Return where a redeploy is shown."""
    return f"{PATH}/{redeploy.redeploy_id}"


def _location(redeploy_id: str) -> str | None:
    return f"{PATH}/{redeploy_id}" if redeploy_id else None


def _refusal(each: Refusal) -> RefusalReport:
    return RefusalReport(
        ground=each.ground, text=each.text, retry_after_seconds=each.retry_after_seconds
    )


def _evidence(redeploy: Redeploy) -> EvidenceReport:
    return EvidenceReport(
        new=_proofs(redeploy.proofs, "new"),
        old=_proofs(redeploy.proofs, "old"),
        platform=redeploy.platform,
    )


def _proofs(proofs: Sequence[Proof], of: str) -> tuple[ProofReport, ...]:
    return tuple(
        ProofReport(
            at=each.at,
            passed=each.passed,
            verdict=each.verdict,
            evidence=each.evidence,
            text=each.text,
        )
        for each in proofs
        if each.of == of
    )


def _step(note: StepNote) -> StepReport:
    return StepReport(
        step=note.step,
        at=note.at,
        last_at=note.last_at or note.at,
        task=note.task,
        state=note.state,
        text=note.text,
        times=note.times,
    )
