"""Whether the service principal's credential can be read: asked seldom, whoever wants to know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.dashboard.check import Check, check_of
from shared.dashboard.status import Status
from shared.errors import OpsError

NAME: Final = "key_vault"
EVERY: Final = timedelta(seconds=60)
SECONDS: Final = 8.0
# As long before as the event credential.expiring begins to tell.
EXPIRES_SOON: Final = timedelta(days=30)

ReadCredential = Callable[[], Awaitable[datetime | None]]


@dataclass(kw_only=True)
class VaultLook:
    """Looks whether the credential can be read, and remembers that for a while, also a failure.

    `read` returns when the credential expires, None where nobody said, and raises CredentialError.
    """

    read: ReadCredential
    _seen: Check | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def check(self, now: Callable[[], datetime]) -> Check:
        """Return what was seen last, if that is not too long ago; else look."""
        async with self._turn:
            if self._seen is None or now() - self._seen.seen_at >= EVERY:
                self._seen = await self._look(now)
            return self._seen

    async def _look(self, now: Callable[[], datetime]) -> Check:
        try:
            async with asyncio.timeout(SECONDS):
                expires_at = await self.read()
        except TimeoutError:
            said = f"Key Vault did not answer within {SECONDS:g} s"
            return check_of(NAME, Status.TROUBLE, said, now())
        except OpsError as error:
            return check_of(NAME, Status.TROUBLE, str(error), now())
        return _readable(expires_at, now())


def _readable(expires_at: datetime | None, at: datetime) -> Check:
    if expires_at is None:
        return check_of(NAME, Status.OK, "The credential was read; its expiry is not known.", at)
    if expires_at <= at:
        return check_of(NAME, Status.TROUBLE, f"The credential expired on {_day(expires_at)}.", at)
    reason = f"The credential was read; it expires on {_day(expires_at)}."
    soon = expires_at - at <= EXPIRES_SOON
    warning = f"The service principal's credential expires on {_day(expires_at)}." if soon else None
    return Check(name=NAME, status=Status.OK, reason=reason, seen_at=at, warning=warning)


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
