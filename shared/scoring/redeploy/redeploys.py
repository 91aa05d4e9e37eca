"""What redeploys need of storage and queue: records that are changed by version, messages that wait.

`shared.clients.redeploy_store` and `shared.clients.step_queue` provide them. Every method raises
StorageUnavailableError when the storage cannot be reached: a step then comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.scoring.redeploy.record import Abort, Redeploy


class Redeploys(Protocol):
    """Records of redeploys; a service has at most one that is not closed."""

    async def open(self, redeploy: Redeploy) -> Redeploy | None:
        """Store a new one and return it with its etag; None while its service has another.

        One that is closed already is stored whatever goes on.
        """

    async def get(self, redeploy_id: str) -> Redeploy | None:
        """Return one, None if there is none of that id."""

    async def active(self, service: str) -> Redeploy | None:
        """Return the one of a service that is not closed."""

    async def list_active(self) -> Sequence[Redeploy]:
        """List all that are not closed."""

    async def list_recent(self, service: str, *, since: datetime) -> Sequence[Redeploy]:
        """List a service's redeploys queued since a moment, oldest first."""

    async def save(self, redeploy: Redeploy) -> Redeploy | None:
        """Replace the version of its etag, and return it with the new one; None if that is gone.

        A closed one gives the service free.
        """

    async def ask_abort(self, redeploy_id: str, abort: Abort) -> None:
        """Raise the flag that each step reads; the first who raised it stays."""

    async def abort_of(self, redeploy_id: str) -> Abort | None:
        """Return the flag, None if it was not raised."""

    async def prune(self, *, before: datetime) -> int:
        """Forget closed ones queued before a moment, a bounded number; returns how many."""


class StepQueue(Protocol):
    """Messages that each ask for one step."""

    async def send(self, redeploy_id: str, step: int, *, delay: timedelta) -> None:
        """Ask for a step, not before `delay`. A message may arrive twice, or early."""
