"""What timers leave behind for whoever watches: that a tick began and how it ended, what one last saw.

Most ticks have nothing to do and leave no run. A note has a name; the next one of the name replaces
it. `shared.clients.note_store` keeps notes on Azure Tables. A note that is lost costs those who watch,
never the work it speaks of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from shared.errors import OpsError, StorageUnavailableError
from shared.shortening import shortened

logger = logging.getLogger(__name__)

TICK: Final = "tick."
COMPUTE_SEEN: Final = "seen.compute"
SCORING_SEEN: Final = "seen.scoring"
SCORING_ROUNDS: Final = "rounds.scoring"
UNEXPECTED: Final = "an unexpected error; the log has it"
# Azure's refusal of a right with its ids and scope is some 700 characters long.
MOST_CHARACTERS: Final = 1000


class Notes(Protocol):
    """Short texts by name. Every method raises StorageUnavailableError."""

    async def put(self, name: str, text: str) -> None:
        """Keep a text, in place of any other of the name."""

    async def get(self, name: str) -> str | None:
        """Return the text of a name, None where there is none."""

    async def list(self) -> Mapping[str, str]:
        """Return all of them by name."""


class TickNote(BaseModel):
    """The last tick of a timer. `ended_at` is None while it goes on, `error` where it did not fail."""

    model_config = ConfigDict(frozen=True)

    timer: str
    began_at: datetime
    ended_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class TickKeeping:
    """Notes the ticks of timers. `notes` is None where there is no storage account."""

    notes: Notes | None
    now: Callable[[], datetime]

    @asynccontextmanager
    async def noting(self, timer: str) -> AsyncIterator[None]:
        """Note that a tick begins, and how it ends. Raises only what is raised inside."""
        begun = TickNote(timer=timer, began_at=self.now())
        # Beside the work: storage that hangs must not delay a single stop.
        beginning = asyncio.create_task(self._note(begun))
        error: str | None = "it was cut short"
        try:
            yield
            error = None
        except OpsError as failure:
            error = shortened(str(failure), MOST_CHARACTERS)
            raise
        except Exception:
            error = UNEXPECTED
            raise
        finally:
            await beginning
            ended = {"ended_at": self.now(), "error": error}
            await self._note(begun.model_copy(update=ended))

    async def _note(self, note: TickNote) -> None:
        await leave(self.notes, f"{TICK}{note.timer}", note)


async def leave(notes: Notes | None, name: str, note: BaseModel) -> None:
    """Leave a note where there is storage to keep it; that it was lost is only logged."""
    if notes is None:
        return
    try:
        await notes.put(name, note.model_dump_json())
    except StorageUnavailableError as error:
        logger.warning("the note %s is lost, and the dashboard older: %s", name, error)
