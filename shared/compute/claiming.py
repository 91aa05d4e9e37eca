"""One stop request per machine, whatever runs side by side: claim first, then ask.

A claim names an instance and its present life (the time of its lastOperation). It is only storage:
while that is away a duplicate is possible, and said. A stop that did nothing gives its claim back.
"""

from __future__ import annotations

from shared.compute import narration
from shared.compute.azure import AnswerKind
from shared.compute.history import Claim, StopClaims
from shared.compute.run import Run
from shared.compute.watch import Watch
from shared.errors import StorageUnavailableError

# Answers after which the machine is as it was: whoever wants to ask need not wait for an effect.
WITHOUT_EFFECT = frozenset(
    {AnswerKind.REFUSED, AnswerKind.CONFLICT, AnswerKind.GONE, AnswerKind.NOT_SENT}
)


async def may_ask(run: Run, watch: Watch) -> bool:
    """Claim the stop of an instance; where another claim stands, the watch waits for its effect."""
    if run.claims is None:
        return True
    try:
        claim = await _claim(run, run.claims, watch)
    except StorageUnavailableError as error:
        _tell_lost(run, error)
        return True
    watch.claim = claim if claim.granted else None
    if not claim.granted:
        watch.claimed_by(claim, run_id=run.ledger.head.run_id, now=run.now())
    return claim.granted


def holds_claim(run: Run, watch: Watch) -> bool:
    """Whether nobody can have taken the claim over yet; a process that slept has to look again."""
    patience = run.rules.patience.without_effect
    return watch.claim is None or run.now() - watch.claim.claimed_at < patience


async def give_back(run: Run, watch: Watch) -> None:
    """Let others ask at once for a stop that was not carried out; what they took over is theirs."""
    if run.claims is None or watch.claim is None:
        return
    try:
        await run.claims.release(watch.first.id, held=watch.claim)
    except StorageUnavailableError as error:
        # It stays ours for the next try, and ends by itself: others take over what has no effect.
        narration.log_claim_kept(watch.first.id, error)
    else:
        watch.claim = None


async def _claim(run: Run, claims: StopClaims, watch: Watch) -> Claim:
    compute, run_id, now = watch.seen or watch.first, run.ledger.head.run_id, run.now()
    life = compute.last_operation.at if compute.last_operation else None
    held = watch.claim
    if held is None or held.life != life:
        seen = compute.state or ""
        held = await claims.claim(compute.id, life, run_id=run_id, now=now, state=seen)
        if held.granted or not watch.shows_no_effect_of(held):
            return held
    # Ours from before, or one of which a look that came late enough shows no effect.
    return await claims.take_over(compute.id, life, held=held, run_id=run_id, now=now)


def _tell_lost(run: Run, error: StorageUnavailableError) -> None:
    if not run.ledger.claims_lost:
        narration.tell_lost(run.telemetry, "claims; a stop may be sent twice", error)
    run.ledger.claims_lost = True
