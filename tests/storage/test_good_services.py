"""The last good list of services as stored: whole, whatever its size, and told of once."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from shared.clients.good_services import GoodServicesClient
from shared.clients.storage import StorageAccount
from shared.errors import StorageUnavailableError
from shared.scoring.catalogue_source import GoodVersion
from tests.support.fake_catalogue import FakeGoodVersions
from tests.support.storage_ports import both

NOON = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
VERSION = GoodVersion(text="version: 1 # größer\n", source="services.yaml", since=NOON)
Store = GoodServicesClient | FakeGoodVersions


store = both(GoodServicesClient, FakeGoodVersions)


async def test_at_first_there_is_none(store: Store) -> None:
    assert await store.get() is None


async def test_a_version_is_found_as_it_was_stored(store: Store) -> None:
    await store.put(GoodVersion(text="old", source="old.yaml", since=NOON))
    await store.put(VERSION)

    assert await store.get() == VERSION


async def test_a_megabyte_of_yaml_fits(store: Store) -> None:
    text = "".join(
        f"  - {{name: s{number}, kind: http, url: 'https://r{number}.example', owner: 'o'}}\n"
        for number in range(14_000)
    )
    assert len(text) > 900_000

    await store.put(GoodVersion(text=text, source="services.yaml", since=NOON))

    found = await store.get()
    assert found is not None
    assert found.text == text


async def test_a_broken_text_is_to_be_told_once(store: Store) -> None:
    told = [await store.begin_rejection(digest) for digest in ("a", "a", "b", "b", "a")]

    assert told == [True, False, True, False, True]


async def test_after_a_good_text_the_same_breakage_is_news(store: Store) -> None:
    await store.begin_rejection("a")
    await store.end_rejection()
    await store.end_rejection()

    assert await store.begin_rejection("a")


async def test_of_many_workers_one_is_to_tell(store: Store) -> None:
    told = await asyncio.gather(*(store.begin_rejection("a") for _ in range(8)))

    assert sum(told) == 1


async def test_what_cannot_be_compressed_enough_is_refused(
    account: StorageAccount, table: str
) -> None:
    rng = random.Random(2)  # noqa: S311  # no secret
    noise = "".join(chr(rng.randint(0x4E00, 0x9FFF)) for _ in range(700_000))
    async with GoodServicesClient(account, table=table) as store:
        with pytest.raises(StorageUnavailableError, match="does not fit"):
            await store.put(GoodVersion(text=noise, source="services.yaml", since=NOON))
