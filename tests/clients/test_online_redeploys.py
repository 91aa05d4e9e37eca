"""Whole redeploys of an emulated online endpoint: proven, or undone and proven, whoever is killed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from shared.clients.online_mover import DEPLOYMENT_HEADER
from shared.clients.online_rollout import deployment_name
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import State
from shared.scoring.service import Kind
from tests.support.arm_session import ArmSession
from tests.support.azureml_stage import AzureMLStage, keep_time, open_stage
from tests.support.online_rollout import (
    ENDPOINT,
    RIGHT,
    Rollout,
    rollout,
    seed_endpoint,
)
from tests.support.redeploy_stage import Life
from tests.support.scoring_builders import WRONG
from tests.support.scripted import Asked, Behaviour, Scripted

MADE_AND_TAKEN_AWAY = ("PUT green", "DELETE green")
MOVED_OVER = ("PUT green", "PUT weight", "PUT weight", "PUT weight", "DELETE blue")
BROUGHT_BACK = ("PUT green", "PUT weight", "PUT weight", "DELETE green")
ALL_THE_WAY_AND_BACK = ("PUT green", *["PUT weight"] * 4, "DELETE green")
HALF_WAY_AND_BACK = ("PUT green", "PUT weight", "PUT weight", "PUT weight", "DELETE green")


def to(version: int) -> RedeployOrder:
    change = Change(kind=ChangeKind.MODEL, target=f"weight-lm:{version}")
    return RedeployOrder(change=change, reason="a new model")


def stage_of(weight: Rollout, ask: Behaviour) -> AzureMLStage:
    return open_stage(weight.mover, ask, kind=Kind.AML_ONLINE, resource_id=ENDPOINT)


def as_it_is(weight: Rollout) -> Behaviour:
    """What the endpoint answers, or the deployment that is asked for by name."""
    return weight.scripted


def wrong_under_traffic(weight: Rollout) -> Behaviour:
    """What it answers; but a new deployment is right only until it is given traffic."""

    def ask(asked: Asked) -> Scripted:
        spoilt = DEPLOYMENT_HEADER in asked.headers and "PUT weight" in weight.writes()
        return Scripted(body=WRONG) if spoilt else weight.scripted(asked)

    return ask


def wrong_for_users(weight: Rollout) -> Behaviour:
    """What it answers; but once blue has no traffic, right only to who asks for green by name."""

    def ask(asked: Asked) -> Scripted:
        alone = "blue" not in weight.traffic() and DEPLOYMENT_HEADER not in asked.headers
        return Scripted(body=WRONG) if alone else weight.scripted(asked)

    return ask


@dataclass(frozen=True, kw_only=True)
class Story:
    """`updates`: what becomes of steps of traffic. The rest is how it ends."""

    order: RedeployOrder
    effects: Sequence[str]
    state: State = State.UNDONE
    ask: Callable[[Rollout], Behaviour] = as_it_is
    updates: Sequence[str] = ()


GOOD = Story(order=to(5), effects=MOVED_OVER, state=State.SUCCEEDED)
WRONG_LATER = Story(order=to(5), effects=BROUGHT_BACK, ask=wrong_under_traffic)
WRONG_FOR_USERS = Story(order=to(5), effects=ALL_THE_WAY_AND_BACK, ask=wrong_for_users)
INDIVISIBLE = Story(order=to(5), effects=HALF_WAY_AND_BACK, updates=("succeeds", "fails"))


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(GOOD, id="good model"),
        pytest.param(Story(order=to(6), effects=MADE_AND_TAKEN_AWAY), id="wrong answers"),
        pytest.param(Story(order=to(7), effects=MADE_AND_TAKEN_AWAY), id="crashes"),
        pytest.param(Story(order=to(8), effects=MADE_AND_TAKEN_AWAY), id="never ready"),
        pytest.param(WRONG_LATER, id="wrong under traffic"),
        pytest.param(WRONG_FOR_USERS, id="wrong for users under all traffic"),
        pytest.param(INDIVISIBLE, id="traffic cannot be divided"),
    ],
)
async def test_killed_after_an_effect_or_while_proving_it_ends_proven_and_every_effect_is_made_once(
    session: ArmSession, story: Story
) -> None:
    whole = Life()
    left: int | None = None
    while left is None or left <= whole.used:
        seed_endpoint(session.emulator, updates=story.updates)
        async with rollout(session) as weight:
            stage = stage_of(weight, story.ask(weight))
            redeploy_id = await stage.opened(order=story.order)

            await stage.run(life=whole if left is None else Life(left=left))

            end = await stage.redeploy(redeploy_id)
            said = f"killed at {left}: {end.said}"
            made = [each.replace(deployment_name(end.marker), "green") for each in weight.writes()]
            assert (end.state, end.is_closed) == (story.state, True), said
            assert made == list(story.effects), said
            assert weight.answer() == RIGHT, said
            assert end.proofs[-1].passed, said
        left = (left or 0) + 1
    assert whole.used >= len(story.effects) + 3


@pytest.mark.parametrize(
    ("path", "skip"),
    [
        ("/deployments/blue$", 1),
        ("/deployments/ops-", 1),
        ("/onlineEndpoints/weight$", 1),
        ("/onlineEndpoints/weight$", 3),
        ("/deployments(/blue)?$", 2),
    ],
    ids=["live one", "new one", "endpoint", "endpoint amid its traffic", "old one"],
)
async def test_one_look_that_finds_nothing_undoes_no_good_version(
    session: ArmSession, path: str, skip: int
) -> None:
    seed_endpoint(session.emulator)
    async with rollout(session) as weight:
        weight.emulator.fault(path, method="GET", skip=skip, status=404)
        stage = stage_of(weight, as_it_is(weight))
        redeploy_id = await stage.opened(order=to(5))

        await stage.run()

        end = await stage.redeploy(redeploy_id)
        assert weight.emulator.faults()[0]["hits"] == 1
        assert end.state is State.SUCCEEDED, end.said
        assert list(weight.states()) == ["weight", deployment_name(end.marker)]


async def test_an_endpoint_that_stays_away_is_given_up_with_its_reason(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator)
    async with rollout(session) as weight:
        weight.emulator.fault(
            "/onlineEndpoints/weight$", method="GET", skip=2, times=None, status=404
        )
        stage = stage_of(weight, as_it_is(weight))
        redeploy_id = await stage.opened(order=to(5))

        await stage.run()

        end = await stage.redeploy(redeploy_id)
        assert end.state is State.UNDO_FAILED
        assert "not carried out within 20 minutes: the endpoint is not there" in end.said


async def test_steps_of_traffic_that_take_five_minutes_are_waited_for_and_each_proven_once(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator, update_seconds=300)
    async with rollout(session) as weight:
        seen: list[tuple[str, Mapping[str, int]]] = []
        stage = stage_of(weight, watching(weight, seen))
        keep_time(stage, session.emulator)
        redeploy_id = await stage.opened(order=to(5))

        await stage.run()

        end = await stage.redeploy(redeploy_id)
        green = deployment_name(end.marker)
        assert end.state is State.SUCCEEDED, end.said
        assert seen == [
            *[("Succeeded", {"blue": 100})] * 3,
            ("Succeeded", {green: 10, "blue": 90}),
            ("Succeeded", {green: 50, "blue": 50}),
            ("Succeeded", {green: 100}),
        ]
        assert any("the endpoint is Updating" in each.text for each in end.steps)


async def test_a_step_of_traffic_that_never_ends_is_told_red_and_nobody_is_moved(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator, updates=["never_ends"])
    async with rollout(session) as weight:
        stage = stage_of(weight, as_it_is(weight))
        redeploy_id = await stage.opened(order=to(5))

        await stage.run()

        end = await stage.redeploy(redeploy_id)
        assert end.state is State.UNDO_FAILED
        assert "not carried out within 20 minutes: the endpoint is Updating" in end.said
        assert "it answers right, but was not seen to be put back" in end.said
        assert weight.traffic() == {"blue": 100}
        assert weight.answer() == RIGHT


def watching(weight: Rollout, seen: list[tuple[str, Mapping[str, int]]]) -> Behaviour:
    """What it answers; each score is noted with the endpoint's state and who has the traffic."""

    def ask(asked: Asked) -> Scripted:
        if asked.method == "POST":
            seen.append((weight.states()["weight"], weight.traffic()))
        return weight.scripted(asked)

    return ask
