"""What is in force while files change, break, vanish, and workers come and go."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import ServiceFileError
from shared.scoring.catalogue_source import CatalogueSource, InForce, KnownCatalogue
from shared.telemetry import Event
from tests.support.fake_catalogue import FakeGoodVersions, FakeServiceFile
from tests.support.telemetry import RecordingTelemetry

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def listing(*names: str) -> str:
    lines = [
        f"  - {{name: {name}, kind: http, url: 'http://127.0.0.1:1', preset: plumber}}"
        for name in names
    ]
    return "version: 1\nservices:\n" + "\n".join(lines)


BROKEN = listing("Weight", "svm", "svm")


@dataclass
class Estate:
    """A file, a store and a clock; workers come and go."""

    file: FakeServiceFile = field(default_factory=FakeServiceFile)
    store: FakeGoodVersions = field(default_factory=FakeGoodVersions)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    known: KnownCatalogue = field(default_factory=KnownCatalogue)
    now: datetime = NOON
    has_store: bool = True

    async def load(self, text: str | None = None) -> InForce:
        if text is not None:
            self.file.write(text)
        self.now += timedelta(minutes=5)
        return await CatalogueSource(
            file=self.file,
            store=self.store if self.has_store else None,
            known=self.known,
            telemetry=self.telemetry,
            now=lambda: self.now,
        ).load()

    def restart(self) -> None:
        self.known = KnownCatalogue()

    @property
    def told(self) -> list[object]:
        return [
            each["first_problem"] for each in self.telemetry.named(Event.SCORING_CONFIG_REJECTED)
        ]


@pytest.fixture
def estate() -> Estate:
    return Estate()


def names(in_force: InForce) -> list[str]:
    return [each.name for each in in_force.services]


async def test_a_good_file_comes_into_force(estate: Estate) -> None:
    found = await estate.load(listing("weight"))

    assert names(found) == ["weight"]
    assert found.source == "services.yaml"
    assert found.since == NOON + timedelta(minutes=5)
    assert found.rejected == ()


async def test_a_file_that_did_not_change_is_not_read_again(estate: Estate) -> None:
    first = await estate.load(listing("weight"))

    assert await estate.load() == first
    assert estate.file.texts_read == 1
    assert len(estate.store.puts) == 1


async def test_while_a_file_is_broken_its_last_good_version_stays_in_force(estate: Estate) -> None:
    good = await estate.load(listing("weight"))

    broken = await estate.load(BROKEN)

    assert names(broken) == ["weight"]
    assert broken.since == good.since
    assert [each.path for each in broken.rejected] == ["services[0].name", "services[2].name"]


async def test_the_breakage_is_told_once_for_each_text(estate: Estate) -> None:
    await estate.load(listing("weight"))

    for text in (BROKEN, None, None, BROKEN + "\n", None):
        await estate.load(text)

    assert len(estate.told) == 2


async def test_the_event_says_what_is_wrong_and_since_when_the_old_one_holds(
    estate: Estate,
) -> None:
    await estate.load(listing("weight"))
    await estate.load(BROKEN)

    (event,) = estate.telemetry.named(Event.SCORING_CONFIG_REJECTED)
    assert event["source"] == "services.yaml"
    assert event["problems"] == 2
    assert str(event["first_problem"]).startswith("services[0].name (line 3, column 12): ")
    assert event["in_force_since"] == "2026-11-21T12:05:00Z"


async def test_a_mended_file_comes_into_force_and_the_next_mistake_is_told_again(
    estate: Estate,
) -> None:
    await estate.load(listing("weight"))
    await estate.load(BROKEN)

    mended = await estate.load(listing("weight", "svm"))
    await estate.load(BROKEN)

    assert names(mended) == ["weight", "svm"]
    assert mended.rejected == ()
    assert len(estate.told) == 2


async def test_a_restarted_worker_still_has_the_last_good_version(estate: Estate) -> None:
    good = await estate.load(listing("weight"))
    await estate.load(BROKEN)

    estate.restart()
    found = await estate.load()

    assert names(found) == ["weight"]
    assert found.since == good.since
    assert found.rejected
    assert len(estate.told) == 1


async def test_a_restart_does_not_make_a_version_younger(estate: Estate) -> None:
    good = await estate.load(listing("weight"))

    estate.restart()

    assert (await estate.load()).since == good.since
    assert len(estate.store.puts) == 1


async def test_without_any_good_version_all_problems_are_the_error(estate: Estate) -> None:
    with pytest.raises(ServiceFileError) as refused:
        await estate.load(BROKEN)
    with pytest.raises(ServiceFileError) as again:
        await estate.load()

    assert refused.value.problems == again.value.problems
    assert len(refused.value.problems) == 2
    assert len(estate.told) == 1


async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told(estate: Estate) -> None:
    await estate.load(listing("weight"))
    estate.file.away = True

    found = await estate.load()
    await estate.load()
    estate.file.away = False
    back = await estate.load()

    assert names(found) == ["weight"]
    assert [str(each) for each in found.rejected] == ["services.yaml cannot be read: 503"]
    assert estate.told == ["services.yaml cannot be read: 503"]
    assert back.rejected == ()
    assert estate.file.texts_read == 1


async def test_after_an_outage_a_broken_file_is_still_called_broken(estate: Estate) -> None:
    await estate.load(listing("weight"))
    broken = await estate.load(BROKEN)
    estate.file.away = True
    await estate.load()
    estate.file.away = False

    assert (await estate.load()).rejected == broken.rejected


async def test_a_deleted_file_keeps_its_services_in_force(estate: Estate) -> None:
    await estate.load(listing("weight"))
    estate.file.write(None)

    assert names(await estate.load()) == ["weight"]


async def test_an_empty_list_is_a_good_one(estate: Estate) -> None:
    await estate.load(listing("weight"))

    assert names(await estate.load("version: 1\nservices: []")) == []


async def test_losing_the_store_costs_the_memory_only(estate: Estate) -> None:
    estate.store.away = True
    await estate.load(listing("weight"))
    found = await estate.load(BROKEN)

    assert names(found) == ["weight"]
    assert len(estate.told) == 1


async def test_what_could_not_be_stored_is_stored_when_the_store_is_back(estate: Estate) -> None:
    estate.store.away = True
    good = await estate.load(listing("weight"))
    estate.store.away = False

    await estate.load()

    assert estate.store.good is not None
    assert estate.store.good.since == good.since


async def test_an_app_without_storage_remembers_in_the_worker(estate: Estate) -> None:
    estate.has_store = False
    await estate.load(listing("weight"))
    found = await estate.load(BROKEN)
    await estate.load()

    assert names(found) == ["weight"]
    assert len(estate.told) == 1


async def test_another_worker_does_not_tell_the_same_breakage(estate: Estate) -> None:
    await estate.load(listing("weight"))
    await estate.load(BROKEN)
    for _ in range(3):
        estate.restart()
        await estate.load()

    assert len(estate.told) == 1


async def test_who_is_interrupted_while_taking_up_a_text_takes_it_up_the_next_time(
    estate: Estate,
) -> None:
    estate.store.hangs = True
    begun = asyncio.create_task(estate.load(listing("weight")))
    await estate.store.asked.wait()
    begun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun
    estate.store.hangs = False

    assert names(await estate.load()) == ["weight"]
