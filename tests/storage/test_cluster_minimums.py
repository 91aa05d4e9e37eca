"""Minimum node counts of clusters are kept until they are given back."""

from dataclasses import replace
from datetime import timedelta

from shared.compute.clusters import ClusterMinimum, ClusterMinimums
from tests.support.builders import NIGHT, a_workspace


def a_minimum(name: str = "cpu", *, minimum: int = 2) -> ClusterMinimum:
    return ClusterMinimum(
        cluster_id=f"{a_workspace().id}/computes/{name}", minimum=minimum, recorded_at=NIGHT
    )


async def test_minimums_are_listed_as_they_were_remembered(minimums: ClusterMinimums) -> None:
    assert not await minimums.list()

    await minimums.remember(a_minimum("gpu", minimum=1))
    await minimums.remember(a_minimum("cpu", minimum=4))

    assert await minimums.list() == [a_minimum("cpu", minimum=4), a_minimum("gpu", minimum=1)]


async def test_a_cluster_has_one_minimum_the_last_one(minimums: ClusterMinimums) -> None:
    await minimums.remember(a_minimum("CPU"))
    later = ClusterMinimum(
        cluster_id=a_minimum("cpu").cluster_id, minimum=7, recorded_at=NIGHT + timedelta(days=1)
    )

    await minimums.remember(later)

    assert await minimums.list() == [later]


async def test_a_cluster_is_forgotten_whatever_its_case(minimums: ClusterMinimums) -> None:
    await minimums.remember(a_minimum("cpu"))
    await minimums.remember(a_minimum("gpu"))

    await minimums.forget(a_minimum("cpu").cluster_id.upper())
    await minimums.forget(a_minimum("never").cluster_id)

    assert await minimums.list() == [a_minimum("gpu")]


async def test_that_a_cluster_was_seen_at_none_is_kept_too(minimums: ClusterMinimums) -> None:
    lowered = replace(a_minimum("cpu"), lowered_at=NIGHT + timedelta(seconds=30))
    await minimums.remember(a_minimum("cpu"))

    await minimums.remember(lowered)

    assert await minimums.list() == [lowered]
