"""Ask for the stop of one instance: in its turn, claimed first, decided on right before the request."""

from __future__ import annotations

from collections.abc import Callable

from shared.compute import narration
from shared.compute.azure import AnswerKind, StopAnswer
from shared.compute.claiming import WITHOUT_EFFECT, give_back, holds_claim, may_ask
from shared.compute.containment import contained
from shared.compute.renewal import renew_exemptions
from shared.compute.run import Run
from shared.compute.watch import Step, Watch
from shared.errors import OpsError
from shared.telemetry import Span


async def ask(run: Run, watch: Watch, *, tell: Callable[[Watch], None]) -> None:
    """Send a stop when its turn comes, unless a look has shown meanwhile that there is no need.

    `tell` says what was decided, right before the request.
    """
    with contained(run, watch.first.workspace.id, about=watch.first.name) as mishap:
        try:
            await _ask(run, watch, tell=tell)
        except OpsError as error:
            mishap.why = str(error)
    if mishap.why and watch.answer is None:
        # Whatever went wrong, the looks go on: they show whether the stop has an effect.
        kind = AnswerKind.UNCLEAR if watch.asked_at else AnswerKind.NOT_SENT
        now = run.now()
        watch.answered(StopAnswer(kind=kind, at=now, message=mishap.why), now=now)


async def _ask(run: Run, watch: Watch, *, tell: Callable[[Watch], None]) -> None:
    async with run.lane(watch.first.workspace.subscription_id).place():
        if not _is_wanted(run, watch) or not await may_ask(run, watch):
            return
        sent = None
        if run.exemptions is not None and not run.exemptions.away:
            # Storage that hangs is waited for beside the stops, and never by each of them.
            await renew_exemptions(run, watch.first.workspace)
        # Looks and exemptions may have come while the claim was stored, or the process slept.
        watch.decide_again(run.now())
        if _is_wanted(run, watch) and holds_claim(run, watch):
            tell(watch)
            sent = await _send(run, watch)
    if sent is not None and sent is not AnswerKind.NOT_SENT:
        narration.tell_stop_requested(run.telemetry, run.ledger, watch)
    if sent is None or sent in WITHOUT_EFFECT:
        run.own_stops.forget(watch.first, run_id=run.ledger.head.run_id)
        await give_back(run, watch)


def _is_wanted(run: Run, watch: Watch) -> bool:
    now = run.now()
    if watch.step(now) is not Step.ASK:
        return False
    if now < run.deadline:
        return True
    late = "the deadline came before its turn"
    watch.answered(StopAnswer(kind=AnswerKind.NOT_SENT, at=now, message=late), now=now)
    return False


async def _send(run: Run, watch: Watch) -> AnswerKind:
    compute = watch.seen or watch.first
    watch.asking(run.now())
    run.own_stops.note(compute, run_id=run.ledger.head.run_id, at=run.now())
    with run.telemetry.span(Span.COMPUTE_STOP, instance_id=compute.id):
        answer = await run.azure.begin_stop(compute, deadline=run.deadline)
    watch.answered(answer, now=run.now())
    return answer.kind
