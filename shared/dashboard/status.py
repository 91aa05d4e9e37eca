"""How a part of the app's work is. What is not known is never well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from shared.shortening import without_scopes


class Status(StrEnum):
    """One word for a part; UNPROVEN: nothing is seen amiss, but nobody knows that all is right."""

    OK = "ok"
    UNPROVEN = "unproven"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much a trouble matters; the order is that of the page."""

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"


WORST_FIRST: Final = (Status.TROUBLE, Status.UNKNOWN, Status.UNPROVEN, Status.OK)
_ORDER: Final = {each: place for place, each in enumerate(Severity)}


class Frozen(BaseModel):
    """What is shown does not change."""

    model_config = ConfigDict(frozen=True)


# What was seen, with ARM ids in short: who is on duty reads it, and the API that says more has them.
Seen = Annotated[str, AfterValidator(without_scopes)]


class Trouble(Frozen):
    """One thing that is wrong, or not known, now.

    `text` is a sentence, `reason` what was seen (Azure's own words, where there are any), `detail`
    the path of the API that says more, `since` when it began, if that is known.
    """

    severity: Severity
    text: str
    reason: Seen | None = None
    detail: str | None = None
    since: datetime | None = None


class Part(Frozen):
    """A part of the summary. `error`: why it could not be read; the others were.

    `seen_at` is when it was read, not when what it shows was seen.
    """

    status: Status
    seen_at: datetime
    error: Seen | None = None
    troubles: tuple[Trouble, ...] = ()


def status_of(troubles: Iterable[Trouble]) -> Status:
    """Return how a part with these troubles is: a known trouble weighs more than an unknown."""
    found = {each.severity for each in troubles}
    if found - {Severity.UNKNOWN}:
        return Status.TROUBLE
    return Status.UNKNOWN if found else Status.OK


def worst(statuses: Iterable[Status]) -> Status:
    """Return how the whole is."""
    found = {*statuses}
    return next((each for each in WORST_FIRST if each in found), Status.UNKNOWN)


def worst_first(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """Return them by how much they matter; the given order decides between equals."""
    return tuple(sorted(troubles, key=lambda each: _ORDER[each.severity]))
