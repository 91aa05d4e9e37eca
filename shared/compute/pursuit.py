"""Pursue the instances of one workspace until each has an outcome, or the deadline comes.

One list per round shows every instance's state: reads grow with workspaces, not with instances.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shared.compute import narration
from shared.compute.azure import AnswerKind
from shared.compute.claiming import may_ask
from shared.compute.instance import Workspace
from shared.compute.run import Run, side_by_side
from shared.compute.watch import Step, Watch
from shared.errors import OpsError
from shared.telemetry import Span


async def pursue(run: Run, workspace: Workspace, watches: Sequence[Watch]) -> None:
    """Ask, look, and ask again where that is right; then say how every instance ended."""
    if run.ledger.head.dry_run:
        for watch in watches:
            narration.tell_decided(run.telemetry, run.ledger, watch)
            watch.plan()
        return
    now = run.now()
    for watch in watches:
        # The others are told about when it is their turn: the first stops do not wait for words.
        if watch.step(now) is not Step.ASK or now >= run.deadline:
            narration.tell_decided(run.telemetry, run.ledger, watch)
    with run.telemetry.span(Span.COMPUTE_WORKSPACE, workspace_id=workspace.id):
        await _until_settled(run, workspace, watches)


async def _until_settled(run: Run, workspace: Workspace, watches: Sequence[Watch]) -> None:
    while True:
        await _take_steps(run, watches, deadline=run.deadline)
        if not any(watch.is_open for watch in watches):
            return
        if run.now() >= run.deadline:
            break
        remaining = run.deadline - run.now()
        await asyncio.sleep(min(run.rules.poll, remaining).total_seconds())
        await _look(run, workspace, watches, deadline=run.deadline)
    await _close(run, workspace, watches)


async def _close(run: Run, workspace: Workspace, watches: Sequence[Watch]) -> None:
    await _look(run, workspace, watches, deadline=run.final_deadline)
    late = [w for w in watches if w.is_open and w.answer and w.answer.operation]
    await side_by_side(_read_operation(run, w, deadline=run.final_deadline) for w in late)
    for watch in watches:
        watch.close()


async def _take_steps(run: Run, watches: Sequence[Watch], *, deadline: datetime) -> None:
    now = run.now()
    steps = [(watch, watch.step(now)) for watch in watches]
    asks = [_ask(run, watch) for watch, step in steps if step is Step.ASK and now < deadline]
    reads = [
        _read_operation(run, watch, deadline=deadline)
        for watch, step in steps
        if step is Step.READ_OPERATION
    ]
    await side_by_side([*asks, *reads])


async def _ask(run: Run, watch: Watch) -> None:
    compute = watch.seen or watch.first
    async with run.lane(compute.workspace.subscription_id).place():
        if not await may_ask(run, watch, compute):
            return
        if watch.asked_at is None and watch.verdict is watch.first_verdict:
            narration.tell_decided(run.telemetry, run.ledger, watch)
        watch.asking(run.now())
        with run.telemetry.span(Span.COMPUTE_STOP, instance_id=compute.id):
            answer = await run.azure.begin_stop(compute, deadline=run.deadline)
    watch.answered(answer, now=run.now())
    if answer.kind is not AnswerKind.NOT_SENT:
        narration.tell_stop_requested(run.telemetry, run.ledger, watch)


async def _look(
    run: Run, workspace: Workspace, watches: Sequence[Watch], *, deadline: datetime
) -> None:
    try:
        computes = await run.azure.list_computes(workspace, deadline=deadline)
    except OpsError as error:
        # The next round looks again; what stays open at the deadline says since when.
        narration.log_look_failed(workspace, error)
        return
    seen_at = run.now()
    by_key = {compute.key: run.at_home(compute) for compute in computes}
    for watch in watches:
        decided = watch.verdict
        watch.look(by_key.get(watch.first.key), seen_at=seen_at)
        if watch.verdict.reason is not decided.reason:
            narration.tell_decided(run.telemetry, run.ledger, watch)


async def _read_operation(run: Run, watch: Watch, *, deadline: datetime) -> None:
    if watch.answer is None:
        return
    try:
        operation = await run.azure.get_operation(watch.answer, deadline=deadline)
    except OpsError as error:
        watch.operation_unreadable(str(error))
    else:
        watch.read(operation)
