"""Redeploy services whose tag was moved in the registry: the use case of redeploy_timer.

Level-triggered: each tick compares what runs with what the tag leads to, so that a push that nobody
told about is found, and a tick that is missed does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.errors import AzureRequestError, OpsError, RunNotSucceededError
from shared.scoring.examination import Subject
from shared.scoring.redeploy.gate import grounds_at_the_door, grounds_of_platform
from shared.scoring.redeploy.healing import Cause
from shared.scoring.redeploy.model_files import ModelLook
from shared.scoring.redeploy.mover import ChangeKind, Mover, Snapshot
from shared.scoring.redeploy.opening import Occasion, Opening, new_redeploy
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Redeploy
from shared.scoring.redeploy.tag_digests import (
    TagDigests,
    cause_to_follow,
    followed_tag,
    running_digest,
)
from shared.scoring.service import Kind

logger = logging.getLogger(__name__)

# So far back it is known which tag ran, and which digests were undone.
_MEMORY: Final = timedelta(days=30)
# A platform that is away must not keep the timer from ending.
_PATIENCE_SECONDS: Final = 60.0
_AT_ONCE: Final = 8


def follows_tag(subject: Subject) -> bool:
    """Whether its team wants the tag of its image to be followed."""
    return subject.service.follow_tag


@dataclass(frozen=True, kw_only=True)
class TagFollowing:
    """Begins a redeploy of each service whose tag leads elsewhere than what runs."""

    opening: Opening
    movers: Mapping[Kind, Mover]
    tags: TagDigests
    now: Callable[[], datetime]

    async def follow(self, subjects: Sequence[Subject]) -> Sequence[Redeploy]:
        """Begin what is due; returns what was begun.

        Raises RunNotSucceededError naming all services whose tag could not be followed, once
        everything else was done.
        """
        following = [each for each in subjects if follows_tag(each)]
        places = asyncio.Semaphore(_AT_ONCE)
        ends = await asyncio.gather(
            *(self._followed(each, places) for each in following), return_exceptions=True
        )
        problems = [
            f"{subject.service.name}: {_told(subject, end)}"
            for subject, end in zip(following, ends, strict=True)
            if isinstance(end, BaseException)
        ]
        if problems:
            raise RunNotSucceededError(f"tags could not be followed: {'; '.join(problems)}")
        return [end for end in ends if isinstance(end, Redeploy)]

    async def _followed(self, subject: Subject, places: asyncio.Semaphore) -> Redeploy | None:
        async with places, asyncio.timeout(_PATIENCE_SECONDS):
            return await self._follow(subject)

    async def _follow(self, subject: Subject) -> Redeploy | None:
        now, service = self.now(), subject.service
        recent = await self.opening.redeploys.list_recent(service.name, since=now - _MEMORY)
        if any(not each.is_closed for each in recent):
            return None
        snapshot = await self.movers[service.kind].snapshot(service)
        cause = await self._cause(snapshot, recent, now)
        return None if cause is None else await self._open(subject, cause, snapshot)

    async def _cause(
        self, snapshot: Snapshot, recent: Sequence[Redeploy], now: datetime
    ) -> Cause | None:
        followed, running = followed_tag(snapshot, recent), running_digest(snapshot)
        if followed is None:
            reason = snapshot.refuses.get(ChangeKind.IMAGE)
            raise _problem(reason or f"{snapshot.image} names no tag: redeploy one by its tag")
        if not running:
            raise _problem(f"the digest that runs of {snapshot.image} is not known")
        digest = await self.tags.digest_of(followed.tagged)
        if digest is None:
            raise _problem(f"the registry has no tag {followed.tagged}")
        return cause_to_follow(followed, recent, running=running, digest=digest, now=now)

    async def _open(self, subject: Subject, cause: Cause, snapshot: Snapshot) -> Redeploy | None:
        now = self.now()
        order = RedeployOrder(change=cause.change, reason=cause.reason)
        occasion = Occasion(trigger=cause.trigger)
        asked = new_redeploy(subject, order, occasion, now=now)
        lasting = grounds_of_platform(asked, snapshot, model=ModelLook())
        if lasting:
            raise _problem(f"{cause.reason}; {'; '.join(each.text for each in lasting)}")
        seen = await self.opening.surroundings.of(asked, now=now)
        # These pass: the next tick finds the tag where it is.
        if grounds_at_the_door(asked, seen, allowance=self.opening.allowance):
            return None
        opened = await self.opening.open(subject, order, occasion)
        return opened if isinstance(opened, Redeploy) else None


def _problem(text: str) -> AzureRequestError:
    return AzureRequestError(text, status=None)


def _told(subject: Subject, error: BaseException) -> str:
    if isinstance(error, OpsError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"not done within {_PATIENCE_SECONDS:g} s"
    # Ours: whoever mends it needs to know where. Its text may hold anything.
    logger.error("following a tag failed", exc_info=error, extra={"service": subject.service.name})
    return type(error).__name__
