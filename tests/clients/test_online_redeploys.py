"""Whole redeploys of an emulated online endpoint: proven, or undone and proven, whoever is killed."""

from collections.abc import Callable, Sequence

import pytest

from shared.clients.online_mover import DEPLOYMENT_HEADER
from shared.clients.online_rollout import deployment_name
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import State
from shared.scoring.service import Kind
from tests.support.arm_session import ArmSession
from tests.support.azureml_stage import AzureMLStage, open_stage
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


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("order", "ask", "state", "effects"),
    [
        (to(5), as_it_is, State.SUCCEEDED, MOVED_OVER),
        (to(6), as_it_is, State.UNDONE, MADE_AND_TAKEN_AWAY),
        (to(7), as_it_is, State.UNDONE, MADE_AND_TAKEN_AWAY),
        (to(8), as_it_is, State.UNDONE, MADE_AND_TAKEN_AWAY),
        (to(5), wrong_under_traffic, State.UNDONE, BROUGHT_BACK),
    ],
    ids=[
        "good model",
        "wrong answers",
        "crashes",
        "never ready",
        "wrong under traffic",
    ],
)
async def test_killed_after_an_effect_or_while_proving_it_ends_proven_and_every_effect_is_made_once(
    session: ArmSession,
    order: RedeployOrder,
    ask: Callable[[Rollout], Behaviour],
    state: State,
    effects: Sequence[str],
) -> None:
    whole = Life()
    left: int | None = None
    while left is None or left <= whole.used:
        seed_endpoint(session.emulator)
        async with rollout(session) as weight:
            stage = stage_of(weight, ask(weight))
            redeploy_id = await stage.opened(order=order)

            await stage.run(life=whole if left is None else Life(left=left))

            end = await stage.redeploy(redeploy_id)
            said = f"killed at {left}: {end.said}"
            made = [each.replace(deployment_name(end.marker), "green") for each in weight.writes()]
            assert (end.state, end.is_closed) == (state, True), said
            assert made == list(effects), said
            assert weight.answer() == RIGHT, said
            assert end.proofs[-1].passed, said
        left = (left or 0) + 1
    assert whole.used >= len(effects) + 3
