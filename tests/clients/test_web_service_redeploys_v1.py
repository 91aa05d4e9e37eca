"""Whole redeploys of an emulated v1 web service: proven, or undone and proven, whoever is killed."""

import pytest

from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import State
from shared.scoring.service import Kind
from tests.support.azureml_stage import open_stage
from tests.support.redeploy_stage import RESTART, Life
from tests.support.web_service_v1 import ID, OF_IMAGE, RIGHT, lead_to_the_emulator, redeploy
from tests.support.worker import Worker

# azureml-core warns of its own end, and of much that it imports.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def azure(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """The app's own worker, which azureml-core serves."""
    lead_to_the_emulator(worker, monkeypatch)
    return worker


def to(version: int) -> RedeployOrder:
    change = Change(kind=ChangeKind.IMAGE, target=f"weight:{version}")
    return RedeployOrder(change=change, reason="a new image")


@pytest.mark.parametrize(
    ("order", "state", "updates"),
    [
        (to(5), State.SUCCEEDED, 1),
        (RESTART, State.SUCCEEDED, 1),
        (to(6), State.UNDONE, 2),
        (to(7), State.UNDONE, 2),
    ],
    ids=["good image", "restart", "wrong answers", "fails"],
)
async def test_killed_after_an_effect_or_while_proving_it_ends_proven_and_every_update_is_sent_once(
    azure: Worker, order: RedeployOrder, state: State, updates: int
) -> None:
    whole = Life()
    left: int | None = None
    while left is None or left <= whole.used:
        async with redeploy(azure, **OF_IMAGE) as weight:
            stage = open_stage(weight.mover, weight.scripted, kind=Kind.AML_V1, resource_id=ID)
            redeploy_id = await stage.opened(order=order)

            await stage.run(life=whole if left is None else Life(left=left))

            end = await stage.redeploy(redeploy_id)
            said = f"killed at {left}: {end.said}"
            assert (end.state, end.is_closed) == (state, True), said
            assert weight.updates() == updates, said
            assert weight.answer() == RIGHT, said
            assert end.proofs[-1].passed, said
        left = (left or 0) + 1
    assert whole.used >= updates + 3


async def test_an_update_that_never_ends_ends_red_and_says_what_a_human_can_do(
    azure: Worker,
) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        stage = open_stage(weight.mover, weight.scripted, kind=Kind.AML_V1, resource_id=ID)
        redeploy_id = await stage.opened(order=to(8))

        await stage.run(life=Life())

        end = await stage.redeploy(redeploy_id)
        assert (end.state, end.is_closed) == (State.UNDO_FAILED, True)
        assert "it was not ready in time: Running; Azure still holds the update" in end.said
        assert "when it has ended, redeploy weight:4" in end.said
        tried = [each.times for each in end.steps if "still holds" in each.text]
        assert sum(tried) > 5
        assert weight.updates() == 1
