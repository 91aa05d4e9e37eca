"""Notes as stored: one of a name, of any length."""

import pytest

from shared.clients.note_store import NoteStoreClient
from shared.errors import StorageUnavailableError
from shared.notes import Notes
from tests.support.fake_notes import FakeNotes
from tests.support.storage_ports import both

notes = both(NoteStoreClient, FakeNotes)


async def test_the_next_note_of_a_name_replaces_it(notes: Notes) -> None:
    assert await notes.list() == {}

    await notes.put("tick.shutdown_timer", "first")
    await notes.put("seen.compute", "Ärger & 'mehr'")
    await notes.put("tick.shutdown_timer", "second")

    assert await notes.list() == {
        "tick.shutdown_timer": "second",
        "seen.compute": "Ärger & 'mehr'",
    }


async def test_a_long_note_comes_back_whole_and_a_short_one_replaces_it(notes: Notes) -> None:
    long = "".join(f"{number * 2654435761 % 2**32:08x}" for number in range(40_000))

    await notes.put("seen.scoring", long)
    assert await notes.list() == {"seen.scoring": long}
    await notes.put("seen.scoring", "short")

    assert await notes.list() == {"seen.scoring": "short"}


async def test_a_note_is_found_by_its_name(notes: Notes) -> None:
    await notes.put("seen.compute", "seen")
    await notes.put("seen.scoring", "Größe")

    assert await notes.get("seen.scoring") == "Größe"
    assert await notes.get("seen") is None


async def test_storage_that_is_away_is_said_so() -> None:
    notes = FakeNotes(away=True)

    with pytest.raises(StorageUnavailableError):
        await notes.put("seen.compute", "")
    with pytest.raises(StorageUnavailableError):
        await notes.list()
    with pytest.raises(StorageUnavailableError):
        await notes.get("seen.compute")
