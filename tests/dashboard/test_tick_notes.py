"""A timer's tick leaves a note when it begins and when it ends, and never fails for it."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared.dashboard.timers import note_of
from shared.errors import CredentialError
from shared.notes import MOST_CHARACTERS, UNEXPECTED, TickKeeping, TickNote
from tests.support.builders import NIGHT
from tests.support.fake_notes import FakeNotes


class Clock:
    """Goes on by a second at each look."""

    def __init__(self) -> None:
        self._times: Iterator[datetime] = (NIGHT + timedelta(seconds=n) for n in count())

    def __call__(self) -> datetime:
        return next(self._times)


def keeping(notes: FakeNotes | None) -> TickKeeping:
    return TickKeeping(notes=notes, now=Clock())


def noted(notes: FakeNotes) -> TickNote:
    note = note_of(notes.texts, "shutdown_timer")
    assert note is not None
    return note


async def test_a_tick_is_noted_when_it_begins_and_when_it_ends() -> None:
    notes = FakeNotes()

    async with keeping(notes).noting("shutdown_timer"):
        await asyncio.sleep(0)
        while_it_goes_on = noted(notes)

    assert (while_it_goes_on.began_at, while_it_goes_on.ended_at) == (NIGHT, None)
    assert noted(notes) == TickNote(
        timer="shutdown_timer", began_at=NIGHT, ended_at=NIGHT + timedelta(seconds=1)
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CredentialError("Key Vault secret 'x' does not exist"), "Key Vault secret 'x' does not"),
        (KeyError("secret-value"), UNEXPECTED),
    ],
    ids=["one raised on purpose", "any other, which may quote anything"],
)
async def test_a_failure_is_noted_and_raised(error: Exception, told: str) -> None:
    notes = FakeNotes()

    with pytest.raises(type(error)):
        async with keeping(notes).noting("shutdown_timer"):
            raise error

    assert noted(notes).ended_at is not None
    assert (noted(notes).error or "").startswith(told)


@pytest.mark.parametrize("notes", [None, FakeNotes(away=True)], ids=["no storage", "away"])
async def test_a_note_that_is_lost_costs_the_tick_nothing(notes: FakeNotes | None) -> None:
    done = False

    async with keeping(notes).noting("shutdown_timer"):
        done = True

    assert done


async def test_a_tick_that_is_cut_short_is_noted_as_such() -> None:
    notes = FakeNotes()

    with pytest.raises(asyncio.CancelledError):
        async with keeping(notes).noting("shutdown_timer"):
            raise asyncio.CancelledError

    assert noted(notes).error == "it was cut short"


async def test_a_long_failure_is_cut_at_a_word_and_shows_it() -> None:
    notes = FakeNotes()

    with pytest.raises(CredentialError):
        async with keeping(notes).noting("shutdown_timer"):
            raise CredentialError("the client may not " * MOST_CHARACTERS)

    told = noted(notes).error or ""
    assert len(told) <= MOST_CHARACTERS
    assert told.rstrip("…").split()[-1] in {"the", "client", "may", "not"}
    assert told.endswith("…")


async def test_a_refusal_of_azure_is_noted_with_the_right_that_it_names() -> None:
    notes = FakeNotes()
    scope = f"/subscriptions/{'0' * 36}/resourceGroups/rg/providers/Microsoft.X/workspaces/mlw"
    action = "Microsoft.X/workspaces/onlineEndpoints/read"
    refusal = (
        f"{scope}: GET {scope}/onlineEndpoints: 403: AuthorizationFailed: The client '{'1' * 36}' "
        f"with object id '{'2' * 36}' does not have authorization to perform action '{action}'"
    )

    with pytest.raises(CredentialError):
        async with keeping(notes).noting("shutdown_timer"):
            raise CredentialError("; ".join([refusal] * 3))

    said = noted(notes).error or ""
    assert action in said
    assert said.endswith("…")
    assert len(said) <= MOST_CHARACTERS
