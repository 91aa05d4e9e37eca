"""Which workspaces the service principal sees, for whoever looks for services in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shared.clients.machine_learning import MachineLearningClient
from shared.errors import OpsError
from shared.scoring.discovery import Unread, WorkspaceIds


class ScoringWorkspacesClient:
    """Satisfies shared.scoring.discovery.Workspaces."""

    def __init__(self, azure: MachineLearningClient) -> None:
        self._azure = azure

    async def list_ids(self, *, deadline: datetime) -> WorkspaceIds:
        """List the workspaces of all subscriptions; one that says no spares the others."""
        try:
            subscriptions = await self._azure.list_subscriptions(deadline=deadline)
        except OpsError as error:
            return WorkspaceIds(ids=(), unread=[Unread(scope="", problem=str(error))])
        lists = await asyncio.gather(*(self._list(each, deadline) for each in subscriptions))
        return WorkspaceIds(
            ids=[each for ids, _ in lists for each in ids],
            unread=[each for _, unread in lists for each in unread],
        )

    async def _list(
        self, subscription_id: str, deadline: datetime
    ) -> tuple[Sequence[str], Sequence[Unread]]:
        try:
            found = await self._azure.list_workspaces(subscription_id, deadline=deadline)
        except OpsError as error:
            return (), [Unread(scope=f"/subscriptions/{subscription_id}", problem=str(error))]
        return [each.id for each in found], ()
