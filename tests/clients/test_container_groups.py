"""Redeploys of container groups against the emulator: every effect once, and no value lost."""

import asyncio
from dataclasses import replace

import pytest

from shared.errors import AzureRequestError, ChangedByOthersError
from shared.scoring.redeploy.mover import CHANGED_BY_OTHERS, NOTHING_LEFT, Phase
from tests.support.arm_session import ArmSession, until
from tests.support.container_groups import (
    GOOD,
    REPOSITORY,
    a_container,
    a_group,
    push,
    seen,
    with_group,
)
from tests.support.moved_group import RESTART, a_service, an_image, effects, moving, running

PROBE = {"httpGet": {"port": 8000, "path": "/ready"}}


async def test_a_new_image_gets_ready(session: ArmSession) -> None:
    with_group(session.emulator, tags={"team": "growth"})

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("2"), snapshot)
        state = await group.until(Phase.READY, snapshot)
        done = await group.mover.complete(
            group.service, snapshot=snapshot, marker=group.marker, proven=0
        )

    assert running(session) == f"{REPOSITORY}@{state.digest}"
    assert state.digest != snapshot.digest
    assert seen(session.emulator)["tags"]["team"] == "growth"
    assert done is NOTHING_LEFT


async def test_a_new_image_is_put_once_however_often_it_is_asked_for(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        for _ in range(3):
            await group.change(an_image("2"), snapshot)
        await group.until(Phase.READY, snapshot)
        await group.change(an_image("2"), snapshot)

    assert effects(session) == (1, 0)


async def test_a_put_whose_answer_was_lost_is_not_sent_again(session: ArmSession) -> None:
    with_group(session.emulator)
    session.emulator.fault("/containerGroups/weight$", method="PUT", cut="after_effect")

    async with moving(session) as group:
        snapshot = await group.snapshot()
        with pytest.raises(AzureRequestError) as raised:
            await group.change(an_image("2"), snapshot)
        await group.change(an_image("2"), snapshot)
        await group.until(Phase.READY, snapshot)

    assert raised.value.retryable
    assert effects(session) == (1, 0)


@pytest.mark.parametrize(
    ("tag", "reason"), [("crashes", "CrashLoopBackOff"), ("99", "ImagePullBackOff")]
)
async def test_what_fails_is_told_with_its_evidence_and_undone_by_digest(
    session: ArmSession, tag: str, reason: str
) -> None:
    with_group(session.emulator, behaviour={"accepts_any_image": True})

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image(tag), snapshot)
        failed = await group.until(Phase.FAILED, snapshot)
        await group.undo(snapshot)
        back = await group.until(Phase.READY, snapshot, undone=True)

    assert failed.reason == reason
    evidence = "\n".join(failed.evidence)
    assert ("last exit code 1, restarts" in evidence) == (tag == "crashes")
    assert ("Error: no model" in evidence) == (tag == "crashes")
    assert ("Failed to pull image" in evidence) == (tag == "99")
    assert back.digest == snapshot.digest
    assert seen(session.emulator)["containers"][0]["image"] == f"{REPOSITORY}@{snapshot.digest}"


async def test_an_undo_is_put_once(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("2"), snapshot)
        await group.until(Phase.READY, snapshot)
        for _ in range(3):
            await group.undo(snapshot)
        await group.until(Phase.READY, snapshot, undone=True)
        await group.undo(snapshot)

    assert effects(session) == (2, 0)


async def test_an_image_that_somebody_else_deployed_meanwhile_is_neither_ours_nor_undone(
    session: ArmSession,
) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot, change = await group.snapshot(), an_image("wrong")
        ours = replace(group, marker=replace(group.marker, change=change))
        await ours.change(change, snapshot)
        await ours.until(Phase.READY, snapshot)
        others = replace(group, marker=replace(group.marker, redeploy_id="another"))
        await others.change(an_image("2"), snapshot)
        await others.until(Phase.READY, snapshot)

        state = await ours.state(snapshot)
        with pytest.raises(ChangedByOthersError, match=f"{REPOSITORY}:2 as weight"):
            await ours.undo(snapshot)

    assert (state.phase, state.reason) == (Phase.FAILED, CHANGED_BY_OTHERS)
    assert effects(session) == (2, 0)


async def test_nothing_is_undone_where_nothing_was_changed(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.undo(snapshot)
        state = await group.state(snapshot, undone=True)

    assert state.phase is Phase.READY
    assert effects(session) == (0, 0)


async def test_an_image_that_is_not_accessible_is_refused_by_azure(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        with pytest.raises(AzureRequestError, match="InaccessibleImage"):
            await group.change(an_image("99"), snapshot)

    assert effects(session) == (0, 0)


async def test_one_whose_probe_fails_is_waited_for(session: ArmSession) -> None:
    with_group(session.emulator, a_group(a_container(readinessProbe=PROBE)))

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("never-ready"), snapshot)
        state = await group.state(snapshot)
        while state.reason != "ReadinessProbeFailed":
            assert state.phase is Phase.WAITING
            await asyncio.sleep(0.05)
            state = await group.state(snapshot)

    assert state.phase is Phase.WAITING
    assert "Readiness probe failed" in "\n".join(state.evidence)


async def test_a_restart_is_seen_by_its_start_and_not_sent_again(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(RESTART, snapshot)
        state = await group.until(Phase.READY, snapshot)
        await group.change(RESTART, snapshot)

    assert state.digest == snapshot.digest
    assert effects(session) == (0, 1)


async def test_the_window_of_a_restart_is_until_its_effect_shows(session: ArmSession) -> None:
    with_group(session.emulator, behaviour={"begins_after_seconds": 200})

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(RESTART, snapshot)
        waiting = await group.state(snapshot)
        await group.change(RESTART, snapshot)
        await group.until(Phase.READY, snapshot)

    assert (waiting.phase, waiting.reason) == (Phase.WAITING, "NotStarted")
    assert effects(session) == (0, 2)


async def test_a_restart_that_pulled_a_moved_tag_is_undone_by_digest(session: ArmSession) -> None:
    with_group(session.emulator)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        moved = push(session.emulator, GOOD, logs="another\n")
        await group.change(RESTART, snapshot)
        changed = await group.until(Phase.READY, snapshot)
        await group.undo(snapshot)
        back = await group.until(Phase.READY, snapshot, undone=True)

    assert changed.digest == moved
    assert back.digest == snapshot.digest
    assert running(session) == f"{REPOSITORY}@{snapshot.digest}"


async def test_a_crash_looping_service_is_restarted_and_its_own_restarts_count_for_nothing(
    session: ArmSession,
) -> None:
    with_group(session.emulator, a_group(a_container(image=f"{REPOSITORY}:crashes")))
    await until(lambda: seen(session.emulator)["containers"][0]["restartCount"] >= 2)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        push(session.emulator, f"{REPOSITORY}:crashes", logs="mended\n")
        await group.change(RESTART, snapshot)
        await group.until(Phase.READY, snapshot)

    assert effects(session) == (0, 1)


async def test_no_other_resource_becomes_a_request(session: ArmSession) -> None:
    async with moving(session) as group:
        group.service = a_service().model_copy(update={"resource_id": "/subscriptions/x"})
        with pytest.raises(AzureRequestError, match="no resource_id of a container group"):
            await group.snapshot()

    assert session.seen("/subscriptions/x") == []
