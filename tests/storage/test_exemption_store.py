"""Exemptions as stored: found, replaced by version, ended."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.compute.exemptions import Exemption, ExemptionStore
from tests.support.builders import NIGHT, a_workspace

HOUR = timedelta(hours=1)


def an_exemption(exemption_id: str = "thesis", *, until: datetime = NIGHT + HOUR) -> Exemption:
    return Exemption(
        exemption_id=exemption_id,
        resource_id=f"{a_workspace().id}/computes/ci-Ada",
        until=until,
        reason="Sofies Abschlußarbeit; it's due",
        claimed_by="ada.lindqvist@contoso.example",
        created_at=NIGHT,
    )


async def created(store: ExemptionStore, exemption: Exemption) -> Exemption:
    stored = await store.create(exemption)
    assert stored is not None
    return stored


async def test_an_exemption_is_found_as_it_was_stored(exemptions: ExemptionStore) -> None:
    stored = await created(exemptions, an_exemption())

    found = await exemptions.get("thesis")

    assert found == an_exemption()
    assert found.etag == stored.etag != ""
    assert await exemptions.get("other") is None


async def test_one_of_many_creates_an_exemption(exemptions: ExemptionStore) -> None:
    made = await asyncio.gather(*(exemptions.create(an_exemption()) for _ in range(8)))

    assert sum(each is not None for each in made) == 1


async def test_those_that_have_not_ended_are_listed_by_their_end(
    exemptions: ExemptionStore,
) -> None:
    for hours, name in ((3, "later"), (1, "sooner"), (0, "ended"), (-2, "long-ended")):
        await exemptions.create(an_exemption(name, until=NIGHT + hours * HOUR))

    active = await exemptions.list_active(now=NIGHT)

    assert [each.exemption_id for each in active] == ["sooner", "later"]
    assert all(each.etag for each in active)


async def test_only_the_stored_version_is_replaced(exemptions: ExemptionStore) -> None:
    first = await created(exemptions, an_exemption())
    longer = replace(first, until=NIGHT + 2 * HOUR)

    second = await exemptions.replace(longer, etag=first.etag)

    assert second is not None
    assert second.etag != first.etag
    assert await exemptions.get("thesis") == longer
    assert await exemptions.replace(first, etag=first.etag) is None
    assert await exemptions.get("thesis") == longer
    assert await exemptions.replace(first, etag=second.etag) is not None


async def test_one_of_many_replaces_a_version(exemptions: ExemptionStore) -> None:
    first = await created(exemptions, an_exemption())

    replaced = await asyncio.gather(
        *(
            exemptions.replace(replace(first, reason=str(number)), etag=first.etag)
            for number in range(8)
        )
    )

    (winner,) = [each for each in replaced if each]
    assert await exemptions.get("thesis") == winner


@pytest.mark.parametrize("etag", ["*", "", "1", '"abc"', "W/\"datetime'x'\"", "é", 'W/"a"\r\nx: y'])
async def test_what_is_no_etag_of_a_version_changes_nothing(
    exemptions: ExemptionStore, etag: str
) -> None:
    await created(exemptions, an_exemption())

    assert await exemptions.replace(an_exemption(until=NIGHT + 2 * HOUR), etag=etag) is None
    assert await exemptions.delete("thesis", etag=etag) is False

    assert await exemptions.get("thesis") == an_exemption()


async def test_none_is_replaced_where_there_is_none(exemptions: ExemptionStore) -> None:
    first = await created(exemptions, an_exemption())

    assert await exemptions.replace(an_exemption("other"), etag=first.etag) is None
    assert await exemptions.get("other") is None


async def test_a_deleted_exemption_is_gone_and_stays_deletable(
    exemptions: ExemptionStore,
) -> None:
    first = await created(exemptions, an_exemption())
    await created(exemptions, an_exemption("other"))

    assert await exemptions.delete("thesis", etag=first.etag)
    assert await exemptions.delete("thesis", etag=first.etag)
    assert await exemptions.delete("other", etag=None)
    assert await exemptions.delete("never", etag=None)

    assert await exemptions.get("thesis") is None
    assert await exemptions.get("other") is None


async def test_ended_exemptions_are_forgotten(exemptions: ExemptionStore) -> None:
    for hours in range(4):
        await exemptions.create(an_exemption(f"until-{hours}", until=NIGHT + hours * HOUR))

    assert await exemptions.prune(ended_before=NIGHT + 2 * HOUR) == 2
    assert await exemptions.prune(ended_before=NIGHT + 2 * HOUR) == 0

    assert await exemptions.get("until-1") is None
    assert await exemptions.get("until-2") is not None
