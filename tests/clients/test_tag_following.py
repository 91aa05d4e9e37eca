"""A push to the registry reaches a container group by itself, or is undone and left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.clients.registry import RegistryClient
from shared.scoring.redeploy.record import Redeploy, State
from shared.scoring.redeploy.tag_following import TagFollowing
from shared.scoring.service import Kind
from tests.support.arm_session import ArmSession, FixedToken
from tests.support.container_groups import (
    GOLDEN,
    GROUP_ID,
    LIVE,
    WRONG,
    a_container,
    a_group,
    push,
    seen,
    with_group,
)
from tests.support.group_stage import GroupStage, open_stage
from tests.support.moved_group import moving
from tests.support.scoring_builders import a_subject

AUDIENCE = "https://containerregistry.azure.net"
COOLED_DOWN = timedelta(hours=1)
RIGHT: dict[str, Any] = {"answers": [GOLDEN, LIVE]}


@dataclass(kw_only=True)
class Followed:
    """A container group whose image lies in the emulator's registry, and who follows its tag."""

    session: ArmSession
    image: str
    stage: GroupStage
    following: TagFollowing

    def push(self, **image: Any) -> str:
        return push(self.session.emulator, self.image, **image)

    async def tick(self) -> Sequence[Redeploy]:
        """Begin what is due and carry it out; returns how it ended."""
        begun = await self.following.follow(list(self.stage.subjects.values()))
        await self.stage.run()
        self.stage.clock += COOLED_DOWN
        return [await self.stage.redeploy(each.redeploy_id) for each in begun]

    @property
    def running(self) -> str:
        (container,) = seen(self.session.emulator)["containers"]
        return str(container["imageId"]).rpartition("@")[2]


@asynccontextmanager
async def following(session: ArmSession) -> AsyncIterator[Followed]:
    emulator = session.emulator
    host = emulator.url.removeprefix("https://").rstrip("/")
    image = f"{host}/weight:stable"
    with_group(emulator, a_group(a_container(image=image)), images={image: RIGHT})
    token = FixedToken(emulator.arm_token(AUDIENCE))
    async with moving(session) as group:
        stage = open_stage(group.mover, emulator)
        stage.subjects = {
            "weight": a_subject("weight", kind="aci", resource_id=GROUP_ID, follow_tag=True)
        }
        use_case = TagFollowing(
            opening=stage.opening(),
            movers={Kind.ACI: group.mover},
            tags=RegistryClient(token, trusted_suffix=host),
            now=stage.now,
        )
        yield Followed(session=session, image=image, stage=stage, following=use_case)


async def test_a_push_is_deployed_by_its_digest_and_the_next_one_too(session: ArmSession) -> None:
    async with following(session) as followed:
        quiet = await followed.tick()
        ran = followed.running
        pushed = followed.push(**RIGHT, logs="The second.\n")
        (first,) = await followed.tick()
        then = followed.running
        again = followed.push(**RIGHT, logs="The third.\n")
        (second,) = await followed.tick()
        after = followed.running

    assert quiet == []
    assert (first.state, first.change.target) == (State.SUCCEEDED, f"{followed.image}@{pushed}")
    assert first.reason == f"the tag {followed.image} moved: {ran} runs, it leads to {pushed}"
    assert then == pushed
    assert (second.state, after) == (State.SUCCEEDED, again)


async def test_a_push_that_answers_wrongly_is_undone_and_left_alone(session: ArmSession) -> None:
    async with following(session) as followed:
        ran = followed.running
        followed.push(answers=[WRONG, LIVE])
        (undone,) = await followed.tick()
        then = followed.running
        later = [await followed.tick() for _ in range(3)]
        mended = followed.push(**RIGHT, logs="Mended.\n")
        (second,) = await followed.tick()

    assert (undone.state, then) == (State.UNDONE, ran)
    assert later == [[], [], []]
    assert (second.state, followed.running) == (State.SUCCEEDED, mended)


@pytest.mark.parametrize("path", ["/oauth2/exchange$", "/manifests/"])
async def test_a_registry_that_is_away_changes_nothing(session: ArmSession, path: str) -> None:
    async with following(session) as followed:
        followed.push(**RIGHT, logs="The second.\n")
        session.emulator.fault(path, status=503)
        with pytest.raises(Exception, match=r"weight: .*503"):
            await followed.tick()
        (later,) = await followed.tick()

    assert later.state is State.SUCCEEDED
