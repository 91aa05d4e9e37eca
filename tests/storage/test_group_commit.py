"""Writes that share a transaction: each learns its own end, whatever becomes of its neighbours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from shared.clients.group_commit import GroupCommit
from shared.clients.table import MAX_OPERATIONS, Entity


@dataclass
class Store:
    """Commits groups; `open` lets a commit end, `failing` lets it fail, `lost` keeps its end unknown."""

    groups: list[list[str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False
    unknown: frozenset[str] = frozenset()

    async def commit(self, entities: Mapping[str, Entity]) -> Mapping[str, str]:
        self.groups.append([*entities])
        await self.open.wait()
        if self.failing:
            raise ConnectionError("away")
        return {key: f"stored {key}" for key in entities if key not in self.unknown}


def write_all(writes: GroupCommit[str], *keys: str) -> list[asyncio.Task[str | None]]:
    return [asyncio.create_task(writes.write(key, {})) for key in keys]


async def a_moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_at_once_goes_together_and_what_comes_later_goes_next() -> None:
    store = Store()
    writes = GroupCommit(store.commit)

    first = write_all(writes, "a", "b")
    await a_moment()
    later = write_all(writes, "c") + write_all(writes, "d", "e")
    await a_moment()
    store.open.set()

    ended = await asyncio.gather(*first, *later)
    assert ended == ["stored a", "stored b", "stored c", "stored d", "stored e"]
    assert store.groups == [["a", "b"], ["c", "d", "e"]]


async def test_a_group_is_no_larger_than_a_transaction() -> None:
    store = Store()
    store.open.set()
    keys = [str(number) for number in range(MAX_OPERATIONS + 1)]

    ended = await asyncio.gather(*write_all(GroupCommit(store.commit), *keys))

    assert ended == [f"stored {key}" for key in keys]
    assert [len(group) for group in store.groups] == [MAX_OPERATIONS, 1]


async def test_who_is_not_told_of_learns_that_nothing_is_known() -> None:
    store = Store(unknown=frozenset({"b"}))
    store.open.set()

    ended = await asyncio.gather(*write_all(GroupCommit(store.commit), "a", "b"))

    assert ended == ["stored a", None]


async def test_a_failure_is_raised_once_and_the_next_group_goes_on() -> None:
    store = Store(failing=True)
    writes = GroupCommit(store.commit)

    failing = write_all(writes, "a", "b")
    await a_moment()
    later = write_all(writes, "c")
    store.open.set()
    ended = await asyncio.gather(*failing, return_exceptions=True)
    store.failing = False

    assert [type(each) for each in ended] == [ConnectionError, type(None)]
    with pytest.raises(ConnectionError):
        await later[0]
    assert await writes.write("d", {}) == "stored d"


async def test_who_gives_up_waiting_is_not_written() -> None:
    store = Store()
    writes = GroupCommit(store.commit)
    first = write_all(writes, "a")
    await a_moment()
    given_up, stays = write_all(writes, "b", "c")
    await a_moment()

    given_up.cancel()
    await a_moment()
    store.open.set()

    assert await asyncio.gather(*first, stays) == ["stored a", "stored c"]
    assert given_up.cancelled()
    assert store.groups == [["a"], ["c"]]


async def test_who_leads_and_gives_up_leaves_the_others_to_find_out() -> None:
    store = Store()
    writes = GroupCommit(store.commit)
    leading, following = write_all(writes, "a", "b")
    await a_moment()

    leading.cancel()

    assert await following is None
    store.open.set()
    assert await writes.write("c", {}) == "stored c"
