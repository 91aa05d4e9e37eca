"""Promotion: each stage begins after the proof of the one before it, and the first that fails is the last."""

from shared.errors import ServiceFileError
from shared.scoring.examination import Subject
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Ground, Redeploy, State, Trigger
from shared.telemetry import Event
from tests.support.fake_mover import FakeMover
from tests.support.redeploy_stage import Life, RedeployStage
from tests.support.redeploys_to_the_end import NEW_IMAGE, PUT_BACK, assert_all_is_tidy, ended


async def test_promotion_starts_each_stage_after_the_proof_before_it() -> None:
    stage = RedeployStage()
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second", "third"))

    first = await ended(stage, order)

    second = await stage.redeploy(first.next_id)
    third = await stage.redeploy(second.next_id)
    assert stage.mover.effects == [(name, "change") for name in ("weight", "second", "third")]
    assert first.ended_at is not None
    assert first.ended_at <= second.created_at
    assert (second.trigger, second.previous_id) == (Trigger.PROMOTION, first.redeploy_id)
    assert {first.state, second.state, third.state} == {State.SUCCEEDED}
    assert third.next_id == ""


async def test_a_stage_that_is_not_proven_is_the_last_one() -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True))

    first = await ended(
        stage, RedeployOrder(change=NEW_IMAGE.change, reason="", stages=("second",))
    )

    assert first.state is State.UNDONE
    assert first.next_id == ""
    assert stage.mover.effects == PUT_BACK


async def test_a_stage_whose_service_is_busy_or_gone_is_refused_and_told() -> None:
    stage = RedeployStage()
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    first_id = await stage.opened(order=order)
    held = await stage.open("second")
    assert isinstance(held, Redeploy)
    stage.queue.messages = [each for each in stage.queue.messages if each.redeploy_id == first_id]

    await stage.run()

    second = await stage.redeploy((await stage.redeploy(first_id)).next_id)
    assert (second.state, second.is_closed) == (State.REFUSED, True)
    assert [each.ground for each in second.refusals] == [Ground.IN_PROGRESS]
    told = stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
    assert [each["state"] for each in told] == ["refused", "succeeded"]


class Unreadable(RedeployStage):
    """A stage on which a workspace can never be listed, so that nobody knows who is gone."""

    async def find(self, name: str) -> Subject | None:
        raise ServiceFileError([f"workspace of {name}: 403"], retryable=True)


async def test_a_stage_that_can_never_be_looked_up_does_not_hold_the_one_before_for_ever() -> None:
    stage = Unreadable()

    first = await ended(
        stage, RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    )

    second = await stage.redeploy(first.next_id)
    assert (first.state, first.is_closed) == (State.SUCCEEDED, True)
    assert (second.state, second.said) == (
        State.REFUSED,
        "second could not be looked up: workspace of second: 403; nothing was changed",
    )
    assert_all_is_tidy(stage)


async def test_promotion_survives_a_kill_at_every_await_of_its_end() -> None:
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    whole = Life()
    stage = RedeployStage()
    await stage.opened(order=order)
    await stage.run(life=whole)

    for left in range(1, whole.used + 1, 3):
        stage = RedeployStage()
        first_id = await stage.opened(order=order)
        await stage.run(life=Life(left=left))
        first = await stage.redeploy(first_id)
        second = await stage.redeploy(first.next_id)
        assert {first.state, second.state} == {State.SUCCEEDED}, f"killed at await {left}"
        assert stage.mover.effects == [("weight", "change"), ("second", "change")]
        assert_all_is_tidy(stage)
