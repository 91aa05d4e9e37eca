"""What Azure itself says of a service, beside its answers: it counts where no answer is known to be right.

A list says it for a quarter of an hour. What would call a service down is read anew before it counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from shared.errors import OpsError
from shared.scoring.azure import FoundService, ScoringAzure
from shared.scoring.service import Kind

logger = logging.getLogger(__name__)

# As long as a look speaks for a service; what is older calls nobody down.
SPEAKS_FOR: Final = timedelta(minutes=15)
# What a list of this round says need not be read again.
OF_NOW: Final = timedelta(minutes=1)
READ_SECONDS: Final = 20.0
# WebServiceState of azureml-core 1.61: of these, Azure has given up, or its own checks fail.
_ILL: Final = frozenset({"failed", "unhealthy", "unschedulable"})
# States of Azure ML that say no more than that nothing is the matter.
_WELL: Final = frozenset({"", "healthy", "succeeded"})


@dataclass(frozen=True, kw_only=True)
class AzureWord:
    """What Azure said of a service, and when."""

    found: FoundService
    seen_at: datetime

    @property
    def says_ill(self) -> bool:
        """Whether Azure calls it broken: v1 alone has a word of health, v2 only of provisioning."""
        return self.found.kind is Kind.AML_V1 and self.found.state.lower() in _ILL

    def speaks_for(self, at: datetime) -> bool:
        """Whether it was seen lately enough to count."""
        return abs(at - self.seen_at) <= SPEAKS_FOR

    @property
    def said(self) -> str:
        """What is remarkable in it, as the end of a sentence about Azure; empty: nothing is."""
        state, error = self.found.state, self.found.error
        parts = [f"calls it {state}"] if state.lower() not in _WELL else []
        if self.found.gets_traffic is False:
            parts.append("shows no deployment that gets traffic")
        if not parts:
            return ""
        seen = self.seen_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{' and '.join(parts)} (seen {seen})" + (f": {error}" if error else ".")


class AzureWords(Protocol):
    """Reads anew what Azure says of one service."""

    async def read(self, word: AzureWord) -> AzureWord:
        """Return what Azure says now, or what it said where that cannot be read. Never raises."""


@dataclass(frozen=True, kw_only=True)
class ReadAnew:
    """Satisfies AzureWords: a GET of the one service, within READ_SECONDS."""

    azure: Mapping[Kind, ScoringAzure]
    now: Callable[[], datetime]

    async def read(self, word: AzureWord) -> AzureWord:
        if self.now() - word.seen_at <= OF_NOW or word.found.kind not in self.azure:
            return word
        deadline = self.now() + timedelta(seconds=READ_SECONDS)
        try:
            found = await self.azure[word.found.kind].get_service(word.found.id, deadline=deadline)
        except OpsError as error:
            logger.warning("what Azure says of %s cannot be read anew: %s", word.found.id, error)
            return word
        return AzureWord(found=found, seen_at=self.now())
