"""Set the time that named instances may idle before Azure ML itself stops them.

Only its REST interface can change it on an instance that exists. What is reported is what a list
showed afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

from shared.compute.idle_shutdown_order import IdleShutdownOrder
from shared.compute.idle_shutdown_report import (
    IdleShutdownOutcome,
    IdleShutdownReport,
    Setting,
    compile_idle_report,
)
from shared.compute.instance import Compute, Workspace
from shared.compute.mishap import Mishap, caught
from shared.compute.report import Result, WorkspaceReport, WorkspaceResult
from shared.compute.selection import choose_instances
from shared.errors import AzureRequestError, OpsError
from shared.replies import Reply, json_reply
from shared.telemetry import Event, Telemetry

logger = logging.getLogger(__name__)

REFUSALS = frozenset(range(400, 500)) - {408, 429}


class IdleShutdownAzure(Protocol):
    """What is needed of Azure Machine Learning. Raises AzureRequestError or CredentialError."""

    async def list_subscriptions(self, *, deadline: datetime) -> Sequence[str]:
        """GUIDs of the subscriptions the principal can see."""

    async def list_workspaces(
        self, subscription_id: str, *, deadline: datetime
    ) -> Sequence[Workspace]:
        """Every workspace of a subscription."""

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        """Every compute of a workspace, of every kind, with its guard rails."""

    async def set_idle_shutdown(
        self, compute: Compute, *, after: timedelta, deadline: datetime
    ) -> None:
        """Ask once for another idle time: 15 minutes to 3 days."""


@dataclass(frozen=True, kw_only=True)
class IdleShutdowns:
    """Sets idle times as far as one principal sees the estate. `poll`: between two looks."""

    azure: IdleShutdownAzure
    telemetry: Telemetry
    now: Callable[[], datetime]
    deadline: datetime
    poll: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(seconds=30)
    _unread: dict[str, OpsError] = field(init=False, default_factory=dict)
    _mishaps: dict[str, str] = field(init=False, default_factory=dict)
    _logged: set[tuple[str, str]] = field(init=False, default_factory=set)

    async def answer(self, order: IdleShutdownOrder) -> Reply:
        """Set what the order names, and answer 200, or 207 where not all came to a good end."""
        report = await self.set(order)
        good = report.result is Result.SUCCEEDED
        status = HTTPStatus.OK if good else HTTPStatus.MULTI_STATUS
        return json_reply(report.model_dump_json(), status=status)

    async def set(self, order: IdleShutdownOrder) -> IdleShutdownReport:
        """Set what the order names, in earnest or dry, and report what was seen.

        Raises InvalidRequestError, with nothing set, if it names what is not there, and
        AzureRequestError or CredentialError if nothing that it names could be read.
        """
        settings = [
            Setting(compute=compute, wanted=order.idle_after, seen_at=self.now())
            for compute in await self._find(order)
        ]
        if order.dry_run:
            for each in settings:
                each.plan()
        else:
            await asyncio.gather(*(self._ask(each) for each in settings if each.is_awaited))
            await self._look_until_set(settings)
        for each in settings:
            with self._contained(each.compute.workspace.id, about=each.compute.name):
                self._tell(each, order)
        return compile_idle_report(order, settings, troubled=self._troubled(order))

    async def _find(self, order: IdleShutdownOrder) -> Sequence[Compute]:
        visible = await self.azure.list_subscriptions(deadline=self.deadline)
        scopes = await asyncio.gather(
            *(self._list_workspaces(s) for s in visible if order.concerns(f"/subscriptions/{s}"))
        )
        workspaces = [w for group in scopes for w in group if order.concerns(w.id)]
        listed = await asyncio.gather(*(self._list_computes(w) for w in workspaces))
        computes = [compute for group in listed for compute in group]
        chosen = choose_instances(computes, order.instances, unread=list(self._unread))
        if not chosen:
            raise next(iter(self._unread.values()))
        return chosen

    def _troubled(self, order: IdleShutdownOrder) -> Sequence[WorkspaceReport]:
        """Return what could not be read and was named, and wherever this app made a mistake."""
        unread, read = WorkspaceResult.UNREADABLE, WorkspaceResult.READ
        troubled = {s: (unread, str(e)) for s, e in self._unread.items() if order.names_in(s)}
        for scope_id, why in self._mishaps.items():
            troubled[scope_id] = (unread if scope_id in self._unread else read, why)
        return [WorkspaceReport(id=s, result=r, error=e) for s, (r, e) in troubled.items()]

    def _contained(self, scope_id: str, *, about: str = "") -> AbstractContextManager[Mishap]:
        def tell(why: str) -> None:
            self._mishaps.setdefault(scope_id, why)

        return caught(scope_id, about=about, logged=self._logged, tell=tell)

    async def _list_workspaces(self, subscription_id: str) -> Sequence[Workspace]:
        scope_id = f"/subscriptions/{subscription_id}"
        try:
            with self._contained(scope_id) as mishap:
                return await self.azure.list_workspaces(subscription_id, deadline=self.deadline)
            self._unread[scope_id] = OpsError(mishap.why)
        except OpsError as error:
            self._unread[scope_id] = error
        return ()

    async def _list_computes(self, workspace: Workspace) -> Sequence[Compute]:
        try:
            with self._contained(workspace.id) as mishap:
                return await self.azure.list_computes(workspace, deadline=self.deadline)
            self._unread[workspace.id] = OpsError(mishap.why)
        except OpsError as error:
            self._unread[workspace.id] = error
        return ()

    async def _ask(self, setting: Setting) -> None:
        compute = setting.compute
        try:
            with self._contained(compute.workspace.id, about=compute.name) as mishap:
                await self.azure.set_idle_shutdown(
                    compute, after=setting.wanted, deadline=self.deadline
                )
        except OpsError as error:
            # Without an answer it may have been set: the list tells.
            unclear = isinstance(error, AzureRequestError) and error.status not in REFUSALS
            setting.failed(str(error), for_good=not unclear)
        else:
            setting.detail = mishap.why

    async def _look_until_set(self, settings: Sequence[Setting]) -> None:
        give_up = min(self.deadline, self.now() + self.patience)
        while True:
            awaited = [each for each in settings if each.is_awaited]
            homes = {each.compute.workspace.id: each.compute.workspace for each in awaited}
            await asyncio.gather(*(self._look(home, awaited) for home in homes.values()))
            if not any(each.is_awaited for each in awaited) or self.now() >= give_up:
                return
            await asyncio.sleep(min(self.poll, give_up - self.now()).total_seconds())

    async def _look(self, workspace: Workspace, settings: Sequence[Setting]) -> None:
        try:
            with self._contained(workspace.id):
                listed = await self.azure.list_computes(workspace, deadline=self.deadline)
                by_key = {compute.key: compute for compute in listed}
                for each in settings:
                    if each.compute.key in by_key:
                        each.look(by_key[each.compute.key], seen_at=self.now())
        except OpsError as error:
            logger.warning("could not look at %s again: %s", workspace.id, error)

    def _tell(self, setting: Setting, order: IdleShutdownOrder) -> None:
        if setting.outcome is IdleShutdownOutcome.ALREADY_SET:
            return
        self.telemetry.event(
            Event.COMPUTE_IDLE_SHUTDOWN_SET,
            instance_id=setting.compute.id,
            instance=setting.compute.name,
            idle_time_before=setting.compute.guard_rails.idle_time or None,
            idle_time_after=setting.seen or None,
            outcome=setting.outcome,
            detail=setting.detail or None,
            reason=order.reason or None,
            dry_run=order.dry_run,
        )
