"""One stop request per machine, whatever runs side by side: claim first, then ask.

A claim names an instance and its present life (the time of its lastOperation). It is only storage:
while that is away a duplicate is possible, and said.
"""

from __future__ import annotations

from shared.compute import narration
from shared.compute.history import Claim, StopClaims
from shared.compute.instance import Compute
from shared.compute.run import Run
from shared.compute.watch import Watch
from shared.errors import StorageUnavailableError


async def may_ask(run: Run, watch: Watch) -> bool:
    """Claim the stop of an instance; where another claim stands, the watch waits for its effect."""
    if run.claims is None or watch.claimed:
        return True
    compute = watch.seen or watch.first
    try:
        claim = await _claim(run, run.claims, compute)
    except StorageUnavailableError as error:
        if not run.ledger.claims_lost:
            narration.tell_lost(run.telemetry, "claims; a stop may be sent twice", error)
        run.ledger.claims_lost = watch.claimed = True
        return True
    if not claim.granted:
        watch.claimed_by(claim, run_id=run.ledger.head.run_id, now=run.now())
        return False
    watch.claimed = True
    return True


async def _claim(run: Run, claims: StopClaims, compute: Compute) -> Claim:
    run_id, now = run.ledger.head.run_id, run.now()
    life = compute.last_operation.at if compute.last_operation else None
    claim = await claims.claim(compute.id, life, run_id=run_id, now=now)
    if claim.granted or now - claim.claimed_at < run.rules.patience.without_effect:
        return claim
    # The instance was looked at a moment ago, and shows no effect of a claim that old.
    return await claims.take_over(compute.id, life, held=claim, run_id=run_id, now=now)
