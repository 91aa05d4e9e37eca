"""What a container group was before a redeploy, and what cannot be done to it, by its reason."""

from dataclasses import replace
from typing import Any

import pytest

from shared.scoring.redeploy.mover import ChangeKind
from tests.support.arm_session import ArmSession
from tests.support.container_groups import GOOD, REPOSITORY, a_container, a_group, with_group
from tests.support.moved_group import effects, moving, running


async def test_a_snapshot_holds_the_digest_of_the_pull_event(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()

    assert snapshot.image == GOOD
    assert running(session) == f"{REPOSITORY}@{snapshot.digest}"
    assert snapshot.refuses.keys() == {ChangeKind.MODEL}
    assert effects(session) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "refused"), [("Public", True), ("Private", False)], ids=["public", "private"]
)
async def test_a_group_that_is_asked_by_its_public_address_is_not_started_anew(
    session: ArmSession, kind: str, *, refused: bool
) -> None:
    address = {"type": kind, "ip": "20.0.0.4", "ports": [{"port": 8000}]}
    with_group(session.emulator, a_group(ipAddress=address))

    async with moving(session) as group:
        group.service = group.service.model_copy(update={"url": "http://20.0.0.4:8000"})
        snapshot = await group.snapshot()
        by_name = group.service.model_copy(update={"url": "http://weight.test:8000"})
        named = await replace(group, service=by_name).snapshot()

    assert (ChangeKind.RESTART in snapshot.refuses) is refused
    assert not refused or "dnsNameLabel" in snapshot.refuses[ChangeKind.IMAGE]
    assert set(named.refuses) == {ChangeKind.MODEL}


async def test_without_a_digest_the_snapshot_says_so(session: ArmSession) -> None:
    with_group(session.emulator, behaviour={"events_without_digest": True})

    async with moving(session) as group:
        snapshot = await group.snapshot()

    assert (snapshot.image, snapshot.digest) == (GOOD, None)


async def test_a_digest_of_another_container_that_is_not_known_refuses_all(
    session: ArmSession,
) -> None:
    containers = (a_container(image=f"{REPOSITORY}@sha256:{'a' * 64}"), a_container("proxy"))
    behaviour = {"events_without_digest": True}
    with_group(session.emulator, a_group(*containers), behaviour=behaviour)

    async with moving(session, container="weight") as group:
        snapshot = await group.snapshot()

    assert "proxy" in snapshot.refuses[ChangeKind.RESTART]
    assert "proxy" in snapshot.refuses[ChangeKind.IMAGE]


@pytest.mark.parametrize("aci", [{}, {"container": "other"}], ids=["not named", "not there"])
async def test_a_container_has_to_be_known(session: ArmSession, aci: dict[str, Any]) -> None:
    with_group(session.emulator, a_group(a_container(), a_container("proxy")))

    async with moving(session, **aci) as group:
        snapshot = await group.snapshot()

    assert snapshot.refuses.keys() == set(ChangeKind)
    assert "name one in aci.container" in snapshot.refuses[ChangeKind.RESTART]


async def test_a_stopped_group_is_left_to_whoever_stopped_it(session: ArmSession) -> None:
    with_group(session.emulator, stopped=True)

    async with moving(session) as group:
        snapshot = await group.snapshot()

    assert "stopped" in snapshot.refuses[ChangeKind.RESTART]
    assert "stopped" in snapshot.refuses[ChangeKind.IMAGE]
