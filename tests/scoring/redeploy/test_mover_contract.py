"""What every mover keeps to, whatever its platform: effects are made once, by their marker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import Change, ChangeKind, Marker, Mover, Phase, PlatformState
from shared.scoring.redeploy.record import Redeploy
from tests.support.arm_session import ArmSession, trust
from tests.support.container_groups import GOOD as CONTAINER_IMAGE
from tests.support.container_groups import seen, with_group
from tests.support.emulator import EmulatorProcess
from tests.support.fake_mover import FakeMover
from tests.support.kubernetes import BETTER, GOOD, a_cluster, an_aks_service, open_mover
from tests.support.moved_group import an_image, moving
from tests.support.online_rollout import NEW_MODEL, rollout, seed_endpoint
from tests.support.redeploys import OLD_DIGEST, a_redeploy, after
from tests.support.web_service_v1 import lead_to_the_emulator
from tests.support.web_service_v1 import redeploy as web_service
from tests.support.worker import Worker

LOOKS = 200


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A mover and one service of its kind; `effects` counts what its platform was made to do.

    `digest`: of what runs before; None: its platform tells none. `pause`: real seconds between
    looks, where the platform needs real time.
    """

    mover: Mover
    redeploy: Redeploy
    change: Change
    effects: Callable[[], int]
    digest: str | None = OLD_DIGEST
    pause: float = 0

    @property
    def marker(self) -> Marker:
        return replace(self.redeploy.marker, change=self.change)

    async def is_ready(self, *, undone: bool) -> PlatformState:
        snapshot = self.redeploy.snapshot
        assert snapshot is not None
        for _ in range(LOOKS):
            state = await self.mover.platform_state(
                self.redeploy.service, snapshot=snapshot, marker=self.marker, undone=undone
            )
            if state.phase is not Phase.WAITING:
                return state
            await asyncio.sleep(self.pause)
        return state


SUNSET = pytest.mark.filterwarnings("ignore")  # azureml-core warns of its own end


@pytest.fixture(params=["memory", "aks", "aci", "aml-online", pytest.param("aml-v1", marks=SUNSET)])
async def platform(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    if request.param == "memory":
        yield await in_memory()
        return
    emulator: EmulatorProcess = request.getfixturevalue("emulator")
    trust(emulator, monkeypatch)
    async with _OPEN[request.param](emulator, monkeypatch) as opened:
        yield opened


@asynccontextmanager
async def on_aks(emulator: EmulatorProcess, _: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    seed = a_cluster()
    seed["images"][GOOD]["digest"] = OLD_DIGEST
    async with open_mover(emulator) as mover:
        emulator.seed(seed)
        service = an_aks_service()
        yield Platform(
            mover=mover,
            redeploy=a_redeploy(service=service, snapshot=await mover.snapshot(service)),
            change=Change(kind=ChangeKind.IMAGE, target=BETTER),
            effects=lambda: sum(each["method"] == "PATCH" for each in emulator.requests()),
            pause=0.05,
        )


@asynccontextmanager
async def on_aci(emulator: EmulatorProcess, _: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    async with moving(ArmSession(emulator=emulator)) as group:
        with_group(emulator, images={CONTAINER_IMAGE: {"digest": OLD_DIGEST}})
        snapshot = await group.snapshot()
        yield Platform(
            mover=group.mover,
            redeploy=a_redeploy(service=group.service, snapshot=snapshot),
            change=an_image("2"),
            effects=lambda: seen(emulator)["effects"]["puts"],
            pause=0.05,
        )


@asynccontextmanager
async def on_an_endpoint(
    emulator: EmulatorProcess, _: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    seed_endpoint(emulator)
    async with rollout(ArmSession(emulator=emulator)) as weight:
        yield Platform(
            mover=weight.mover,
            redeploy=a_redeploy(service=weight.service, snapshot=weight.snapshot),
            change=NEW_MODEL,
            effects=lambda: len(weight.writes()),
            digest=None,
            pause=0.05,
        )


@asynccontextmanager
async def on_v1(
    emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    worker = Worker(emulator)
    lead_to_the_emulator(worker, monkeypatch)
    async with web_service(worker, image="weight:4", image_digest=OLD_DIGEST) as weight:
        yield Platform(
            mover=weight.mover,
            redeploy=a_redeploy(service=weight.service, snapshot=weight.snapshot),
            change=Change(kind=ChangeKind.IMAGE, target="weight:5"),
            effects=weight.updates,
            pause=0.05,
        )


_OPEN: Mapping[
    str, Callable[[EmulatorProcess, pytest.MonkeyPatch], AbstractAsyncContextManager[Platform]]
] = {"aks": on_aks, "aci": on_aci, "aml-online": on_an_endpoint, "aml-v1": on_v1}


async def in_memory() -> Platform:
    mover, redeploy = FakeMover(), a_redeploy()
    return Platform(
        mover=mover,
        redeploy=a_redeploy(snapshot=await mover.snapshot(redeploy.service)),
        change=Change(kind=ChangeKind.IMAGE, target="registry.test/weight:2"),
        effects=lambda: len(mover.effects),
    )


async def make(platform: Platform) -> None:
    service, snapshot = platform.redeploy.service, platform.redeploy.snapshot
    assert snapshot is not None
    call = partial(platform.mover.change, service, platform.change)
    await persist(platform, partial(call, snapshot=snapshot, marker=platform.marker))


async def undo(platform: Platform) -> None:
    service, snapshot = platform.redeploy.service, platform.redeploy.snapshot
    assert snapshot is not None
    call = partial(platform.mover.undo, service, snapshot=snapshot, marker=platform.marker)
    await persist(platform, call)


async def persist(platform: Platform, call: Callable[[], Awaitable[object]]) -> None:
    """Ask until a platform that is at something is through with it, as the flow does."""
    for _ in range(LOOKS):
        try:
            await call()
        except AzureRequestError as error:
            if not error.retryable:
                raise
            await asyncio.sleep(platform.pause)
        else:
            return
    raise AssertionError("it is at something for ever")


async def test_looking_changes_nothing(platform: Platform) -> None:
    first = await platform.mover.snapshot(platform.redeploy.service)
    second = await platform.mover.snapshot(platform.redeploy.service)

    assert first == second
    assert first.digest == platform.digest
    assert platform.effects() == 0


async def test_a_change_is_made_once_however_often_it_is_asked_for(platform: Platform) -> None:
    for _ in range(3):
        await make(platform)

    state = await platform.is_ready(undone=False)

    assert platform.effects() == 1
    assert state.phase is Phase.READY
    assert (state.digest is None) == (platform.digest is None)
    assert state.digest != OLD_DIGEST


async def test_undoing_brings_back_what_the_snapshot_shows_once(platform: Platform) -> None:
    await make(platform)
    for _ in range(3):
        await undo(platform)

    state = await platform.is_ready(undone=True)

    assert platform.effects() == 2
    assert (state.phase, state.digest) == (Phase.READY, platform.digest)


async def test_undoing_what_was_never_changed_does_nothing(platform: Platform) -> None:
    await undo(platform)

    assert platform.effects() == 0
    assert (await platform.is_ready(undone=True)).phase is Phase.READY


async def test_the_effect_of_another_redeploy_is_not_taken_for_ones_own(
    platform: Platform,
) -> None:
    await make(platform)
    service = platform.redeploy.service
    snapshot = await platform.mover.snapshot(service)
    marker = Marker(redeploy_id="01b8fc3f-0000-7000-8000-000000000001", at=after(1))

    call = partial(platform.mover.change, service, platform.change)
    await persist(platform, partial(call, snapshot=snapshot, marker=marker))

    assert platform.effects() == 2
