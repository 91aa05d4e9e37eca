"""Pursue the instances of one workspace until each has an outcome, or the deadline comes.

One list per round shows every instance's state: reads grow with workspaces, not with instances.
Whatever takes its time, a stop or an operation that is read, goes on beside the looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from shared.compute import narration
from shared.compute.asking import ask
from shared.compute.containment import contained
from shared.compute.inquiry import inquire
from shared.compute.instance import Compute, Workspace
from shared.compute.run import Run, side_by_side
from shared.compute.watch import Step, Watch
from shared.errors import OpsError
from shared.telemetry import Span


async def pursue(run: Run, workspace: Workspace, watches: Sequence[Watch]) -> None:
    """Ask, look, and ask again where that is right; then say how every instance ended.

    Whoever cancels it leaves no request behind.
    """
    with contained(run, workspace.id) as mishap:
        if run.ledger.head.dry_run:
            _plan(run, watches)
            return
        with run.telemetry.span(Span.COMPUTE_WORKSPACE, workspace_id=workspace.id):
            await _Pursuit(run, workspace, watches).follow()
    for watch in watches:
        watch.give_up(mishap.why)


def _plan(run: Run, watches: Sequence[Watch]) -> None:
    for watch in watches:
        watch.plan()
        narration.tell_decided(run.telemetry, run.ledger, watch)


class _Pursuit:
    """The rounds of one workspace."""

    def __init__(self, run: Run, workspace: Workspace, watches: Sequence[Watch]) -> None:
        self._run = run
        self._workspace = workspace
        self._watches = watches
        self._untold = set(watches)
        self._underway: set[Watch] = set()
        self._settled = asyncio.Event()

    async def follow(self) -> None:
        """Go round until nothing is open; at the deadline look once more, and close."""
        now = self._run.now()
        # The others are told about when it is their turn: the first stops do not wait for words.
        self._tell(watch for watch in self._watches if watch.step(now) is not Step.ASK)
        async with asyncio.TaskGroup() as tasks:
            while self._goes_on:
                self._take_steps(tasks)
                await self._pause()
                if self._goes_on:
                    await self._look(deadline=self._run.deadline)
        if self._is_open:
            await self._close()
        self._tell(self._watches)

    @property
    def _is_open(self) -> bool:
        return any(watch.is_open for watch in self._watches)

    @property
    def _goes_on(self) -> bool:
        return self._is_open and self._run.now() < self._run.deadline

    def _take_steps(self, tasks: asyncio.TaskGroup) -> None:
        now = self._run.now()
        for watch in self._watches:
            step = watch.step(now)
            if step not in {Step.NONE, Step.LOOK} and watch not in self._underway:
                self._underway.add(watch)
                tasks.create_task(self._take_step(watch, step))

    async def _take_step(self, watch: Watch, step: Step) -> None:
        try:
            if step is Step.ASK:
                await ask(self._run, watch, tell=lambda asked: self._tell([asked]))
            else:
                await inquire(self._run, watch, step, deadline=self._run.deadline)
        finally:
            self._underway.discard(watch)
            if not self._is_open:
                self._settled.set()

    async def _pause(self) -> None:
        """Wait for the next look, no longer than there is anything to see."""
        remaining = self._run.deadline - self._run.now()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._run.rules.poll, remaining).total_seconds()):
                await self._settled.wait()

    async def _look(self, *, deadline: datetime) -> None:
        """Take in one list. If it fails, the next round looks again."""
        began_at = self._run.now()
        try:
            with contained(self._run, self._workspace.id) as mishap:
                computes = await self._run.azure.list_computes(self._workspace, deadline=deadline)
        except OpsError as error:
            narration.log_look_failed(self._workspace, error)
            return
        if mishap.why:
            return
        seen_at = self._run.now()
        by_key = {compute.key: self._run.at_home(compute) for compute in computes}
        for watch in self._watches:
            with contained(self._run, self._workspace.id, about=watch.first.name):
                found = by_key.get(watch.first.key)
                self._show(watch, found, seen_at=seen_at, began_at=began_at)

    def _show(
        self, watch: Watch, found: Compute | None, *, seen_at: datetime, began_at: datetime
    ) -> None:
        decided = watch.verdict
        watch.look(found, seen_at=seen_at, began_at=began_at)
        if watch.verdict.reason is not decided.reason:
            self._untold.add(watch)
            self._tell([watch])

    async def _close(self) -> None:
        deadline, last_look = self._run.final_deadline, self._run.now()
        await self._look(deadline=deadline)
        last = [(watch, watch.last_step()) for watch in self._watches]
        await side_by_side(inquire(self._run, w, step, deadline=deadline) for w, step in last)
        for watch in self._watches:
            watch.close(last_look=last_look)

    def _tell(self, watches: Iterable[Watch]) -> None:
        """Say what was decided, once for each decision."""
        for watch in watches:
            if watch in self._untold:
                self._untold.discard(watch)
                with contained(self._run, self._workspace.id, about=watch.first.name):
                    narration.tell_decided(self._run.telemetry, self._run.ledger, watch)
