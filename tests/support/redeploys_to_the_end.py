"""Redeploys that are begun on a stage and carried out to their end, and what that leaves."""

from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Redeploy
from tests.support.redeploy_stage import RedeployStage

NEW_IMAGE = RedeployOrder(
    change=Change(kind=ChangeKind.IMAGE, target="registry.test/weight:2"), reason="a new model"
)


CHANGED = [("weight", "change")]


PUT_BACK = [("weight", "change"), ("weight", "undo")]


MOVED_OVER = [("weight", "change"), ("weight", "shift"), ("weight", "shift")]


async def ended(stage: RedeployStage, order: RedeployOrder = NEW_IMAGE) -> Redeploy:
    redeploy_id = await stage.opened(order=order)
    await stage.run()
    return await stage.redeploy(redeploy_id)


def assert_all_is_tidy(stage: RedeployStage) -> None:
    assert stage.store.holds == {}
    assert stage.windows.windows == {}
    assert stage.queue.messages == []
