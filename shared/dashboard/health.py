"""The health of the app itself: what it needs to do its work, each looked at by itself.

What is not `ok` is answered 503, also what is not known: a monitor sees nothing but the status.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

from shared.callers import refuse_unknown
from shared.dashboard.check import Check, check_of
from shared.dashboard.status import Frozen, Part, Severity, Status, Trouble, status_of, worst
from shared.dashboard.timers import Timer, TimerSeen, look_at, trouble_of
from shared.dashboard.vault_look import VaultLook
from shared.errors import SettingsError, StorageUnavailableError
from shared.notes import UNEXPECTED, Notes
from shared.replies import Reply, json_reply

logger = logging.getLogger(__name__)

POISON: Final = "-poison"
# A batch is given up after five seconds; a request that is on its way is no trouble.
PATIENCE_SECONDS: Final = 10.0
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


class AppHealth(Frozen):
    """How the app is: as its worst check."""

    status: Status
    seen_at: datetime
    checks: tuple[Check, ...]


class AppPart(Part):
    """The app itself, as a part of the summary."""

    checks: tuple[Check, ...] = ()


class Queues(Protocol):
    """The app's queues."""

    async def length(self, queue: str) -> int:
        """Return about how many messages wait; none where there is no such queue.

        Raises StorageUnavailableError.
        """


@dataclass(frozen=True, kw_only=True)
class HealthRequests:
    """Looks at everything side by side. `notes` and `queues` are None without a storage account.

    `queues_of_work`: the queues whose messages the app works; each has one for its poison messages.
    `seconds_unheard`: for how long Application Insights has taken nothing of this worker's, None
    where there is none.
    """

    notes: Notes | None
    queues: Queues | None
    vault: VaultLook
    timers: Sequence[Timer]
    queues_of_work: Sequence[str]
    seconds_unheard: float | None
    now: Callable[[], datetime]

    async def answer(self, query: Mapping[str, str]) -> Reply:
        """200 where everything is `ok`, else 503; every check with its reason either way."""
        refuse_unknown(query, known=())
        return reply_of(await self.look())

    async def look(self) -> AppHealth:
        """Look, and return what was seen."""
        tables_and_timers, queues, vault = await asyncio.gather(
            self._tables_and_timers(), self._queues(), self._vault()
        )
        at = self.now()
        checks = (
            check_of("settings", Status.OK, "All settings are as they should be.", at),
            vault,
            *tables_and_timers[:1],
            *queues,
            *tables_and_timers[1:],
            self._telemetry(at),
        )
        return AppHealth(status=worst(each.status for each in checks), seen_at=at, checks=checks)

    async def part(self) -> AppPart:
        """Return the same as a part of the summary; timers of other parts are told there."""
        found = await self.look()
        troubles = tuple(
            trouble for each in found.checks for trouble in _troubles(each) if not _told(each)
        )
        status = worst([status_of(troubles), *(each.status for each in found.checks)])
        return AppPart(status=status, seen_at=found.seen_at, troubles=troubles, checks=found.checks)

    async def _vault(self) -> Check:
        try:
            return await self.vault.check(self.now)
        except Exception:
            logger.exception("the vault could not be looked at")
            return check_of("key_vault", Status.UNKNOWN, UNEXPECTED, self.now())

    async def _tables_and_timers(self) -> Sequence[Check]:
        if self.notes is None:
            return [_no_storage("tables", self.now()), *self._untold("No storage is configured.")]
        try:
            notes = await self.notes.list()
        except StorageUnavailableError as error:
            broken = check_of("tables", Status.TROUBLE, str(error), self.now())
            return [broken, *self._untold("The tables cannot be read.")]
        at = self.now()
        timers = [_of_timer(each, look_at(each, notes, at=at), at) for each in self.timers]
        return [check_of("tables", Status.OK, "The tables answer.", at), *timers]

    def _untold(self, why: str) -> Sequence[Check]:
        return [check_of(each.name, Status.UNKNOWN, why, self.now()) for each in self.timers]

    async def _queues(self) -> Sequence[Check]:
        if self.queues is None:
            return [_no_storage("queues", self.now())]
        names = [each + end for each in self.queues_of_work for end in ("", POISON)]
        try:
            lengths = await asyncio.gather(*(self.queues.length(each) for each in names))
        except StorageUnavailableError as error:
            return [check_of("queues", Status.TROUBLE, str(error), self.now())]
        return _of_queues(dict(zip(names, lengths, strict=True)), self.now())

    def _telemetry(self, at: datetime) -> Check:
        if self.seconds_unheard is None:
            said = "APPLICATIONINSIGHTS_CONNECTION_STRING is not set, or not usable: nobody is alerted."
            return check_of("telemetry", Status.TROUBLE, said, at)
        if self.seconds_unheard > PATIENCE_SECONDS:
            said = (
                "Application Insights has taken nothing that this worker sent for "
                f"{self.seconds_unheard:.0f} s: nobody is alerted."
            )
            return check_of("telemetry", Status.TROUBLE, said, at)
        said = "Application Insights is configured, and refused nothing that this worker sent last."
        return check_of("telemetry", Status.OK, said, at)


def unread_app(error: str, *, at: datetime) -> AppPart:
    """Return the part where nothing could be looked at."""
    return AppPart(status=Status.UNKNOWN, seen_at=at, error=error)


def broken_settings(error: SettingsError, *, at: datetime) -> Reply:
    """Answer where the settings are broken: then nothing else can be looked at.

    Names of settings and what is wrong with them, never a value.
    """
    check = check_of("settings", Status.TROUBLE, str(error), at)
    return reply_of(AppHealth(status=Status.TROUBLE, seen_at=at, checks=(check,)))


def live() -> Reply:
    """200: this worker answers. It says no more, since anybody may ask, and asks nobody else."""
    return json_reply('{"status":"ok"}', status=HTTPStatus.OK, headers=_NOT_KEPT)


def reply_of(health: AppHealth) -> Reply:
    """Return the answer about the app's health."""
    well = health.status is Status.OK
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return json_reply(health.model_dump_json(), status=status, headers=_NOT_KEPT)


def _of_timer(timer: Timer, seen: TimerSeen, at: datetime) -> Check:
    trouble = trouble_of(timer, seen, at=at)
    if trouble is None:
        began = seen.began_at.strftime("%Y-%m-%d %H:%M:%SZ") if seen.began_at else ""
        return check_of(timer.name, Status.OK, f"Its last tick began at {began}.", at)
    unknown = trouble.severity is Severity.UNKNOWN
    said = " ".join(filter(None, (trouble.text, trouble.reason)))
    return check_of(timer.name, Status.UNKNOWN if unknown else Status.TROUBLE, said, at)


def _of_queues(lengths: Mapping[str, int], at: datetime) -> Sequence[Check]:
    waiting = ", ".join(f"{count} in {name}" for name, count in lengths.items())
    reachable = check_of("queues", Status.OK, f"The queues answer; about {waiting}.", at)
    poison = {name: count for name, count in lengths.items() if name.endswith(POISON) and count}
    if not poison:
        return [reachable, check_of("poison_queues", Status.OK, "No poison message waits.", at)]
    said = ", ".join(f"about {count} in {name}" for name, count in poison.items())
    return [
        reachable,
        check_of("poison_queues", Status.TROUBLE, f"Messages failed for good: {said}.", at),
    ]


def _no_storage(name: str, at: datetime) -> Check:
    said = "No storage account is configured: AzureWebJobsStorage is not set."
    return check_of(name, Status.TROUBLE, said, at)


def _told(check: Check) -> bool:
    return check.name in {"shutdown_timer", "scoring_timer"}


def _troubles(check: Check) -> Sequence[Trouble]:
    if check.warning:
        return [Trouble(severity=Severity.WARNING, text=check.warning)]
    if check.status is Status.OK:
        return []
    unknown = check.status is Status.UNKNOWN
    name = check.name.replace("_", " ")
    return [
        Trouble(
            severity=Severity.UNKNOWN if unknown else Severity.CRITICAL,
            text=f"This app's {name}: {'not known' if unknown else 'not as needed'}.",
            reason=check.reason,
            detail="/api/health",
        )
    ]
