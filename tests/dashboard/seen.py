"""What was last seen, as notes and states tell it: machines, services, and a night without trouble."""

from __future__ import annotations

from dataclasses import replace

from shared.compute.policy import Decision, Reason
from shared.compute.report import (
    Findings,
    InstanceReport,
    Outcome,
    RunHead,
    RunReport,
    Trigger,
    WorkspaceReport,
    WorkspaceResult,
    compile_report,
)
from shared.compute.sighting import sight
from shared.scoring.judgement import Verdict
from shared.scoring.narration import RoundResult
from shared.scoring.round_sighting import LookedAfter, RoundSighting
from shared.scoring.service import Kind
from shared.scoring.state import Health, ServiceState
from tests.dashboard.stage import MINUTE, Overview
from tests.support.builders import NIGHT, a_workspace

WELL = ServiceState(
    health=Health.HEALTHY,
    since=NIGHT,
    verdict=Verdict.HEALTHY,
    evidence="golden_right",
    checked_at=NIGHT - MINUTE,
)
ANSWERS = replace(WELL, evidence="answers_only")
DOWN = ServiceState(
    health=Health.UNHEALTHY,
    since=NIGHT - 9 * MINUTE,
    verdict=Verdict.DOWN,
    text="Connection refused.",
    checked_at=NIGHT - MINUTE,
)


def an_outcome(
    name: str,
    outcome: Outcome = Outcome.LEFT,
    *,
    state: str = "Running",
    price: float | None = 1.0,
    detail: str = "",
) -> InstanceReport:
    return InstanceReport(
        id=f"{a_workspace().id}/computes/{name}",
        name=name,
        owner="ada",
        vm_size="STANDARD_DS3_V2",
        price_per_hour=price,
        state_before="Running",
        state_after=state,
        decision=Decision.LEAVE,
        reason=Reason.IN_WINDOW,
        reason_text="It may be up until 23:00.",
        outcome=outcome,
        detail=detail,
        seconds=None,
        seen_at=NIGHT,
    )


def a_report(*instances: InstanceReport, unread: str = "") -> RunReport:
    head = RunHead(
        run_id="0199", trigger=Trigger.TIMER, dry_run=False, reason="", started_at=NIGHT - MINUTE
    )
    scope = WorkspaceReport(id=a_workspace().id, result=WorkspaceResult.READ, error=unread or None)
    findings = Findings(workspaces=(scope,), instances=instances, other_computes=0, currency="EUR")
    return compile_report(head, [findings], ended_at=NIGHT)


def a_round(*names: str) -> RoundSighting:
    return RoundSighting(
        started_at=NIGHT - MINUTE,
        ended_at=NIGHT - MINUTE,
        result=RoundResult.SUCCEEDED,
        services=tuple(
            LookedAfter(name=name, group="", kind=Kind.AKS, owner=None) for name in names
        ),
        unchecked=(),
        problems=(),
    )


def a_calm_night() -> Overview:
    """Ticks on time, a machine in its window, a healthy service, no redeploy."""
    overview = Overview()
    overview.tick()
    overview.notes.texts["seen.compute"] = sight(a_report(an_outcome("ci"))).model_dump_json()
    overview.notes.texts["seen.scoring"] = a_round("weight").model_dump_json()
    overview.states.states["weight"] = WELL
    return overview
