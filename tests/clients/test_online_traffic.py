"""The traffic of online endpoints amid a redeploy: given in proven steps, and brought back."""

import pytest

from shared.errors import AzureRequestError, ChangedByOthersError
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Completion,
    Phase,
    Progress,
)
from tests.support.arm_session import ArmSession
from tests.support.online_rollout import (
    RIGHT,
    Rollout,
    rollout,
    seed_endpoint,
)


async def test_undoing_amid_the_traffic_brings_all_of_it_back_first(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    await weight.complete()

    state = await weight.undone()

    assert (state.phase, weight.traffic()) == (Phase.READY, {"blue": 100})
    assert weight.writes()[-2:] == ["PUT weight", f"DELETE {weight.green}"]
    assert weight.states() == {"weight": "Succeeded", "blue": "Succeeded"}


async def test_a_step_of_traffic_whose_answer_was_lost_is_not_made_again(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    weight.emulator.fault("/onlineEndpoints/weight$", method="PUT", cut="after_effect")
    with pytest.raises(AzureRequestError):
        await weight.complete()

    await weight.until_state("weight", "Succeeded")
    steps = await weight.completed()

    assert [each.get("blue", 0) for each in steps] == [90, 50, 0]
    assert weight.puts("/onlineEndpoints/weight")[-3:] == [None, 200, 200]


async def test_while_traffic_is_being_divided_nothing_is_asked_for(session: ArmSession) -> None:
    seed_endpoint(session.emulator, update_seconds=100_000)
    async with rollout(session) as weight:
        await weight.change()
        await weight.settled()

        for _ in range(3):
            assert (await weight.complete()).progress is Progress.MOVING
        with pytest.raises(AzureRequestError, match="Updating") as raised:
            await weight.undo()

    assert raised.value.retryable
    assert weight.writes() == [f"PUT {weight.green}", "PUT weight"]


async def test_what_is_asked_for_is_neither_there_nor_proven_before_the_endpoint_succeeded(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator, updates=["never_ends"])
    async with rollout(session) as weight:
        await weight.change()
        await weight.settled()

        asked, looked = await weight.complete(), await weight.complete()

        assert weight.traffic() == {"blue": 100}
        assert asked == Completion(
            progress=Progress.MOVING, text="10 % of the traffic is asked for"
        )
        assert looked.progress is Progress.MOVING
        assert looked.text == f"the endpoint is Updating: {weight.green} 10 %, blue 90 %"
        assert [weight.answer() for _ in range(3)] == [RIGHT] * 3


async def test_a_step_that_landed_is_told_until_it_was_proven(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    await weight.complete()
    await weight.until_state("weight", "Succeeded")

    told = [await weight.complete() for _ in range(3)]

    text = f"10 % of the traffic goes to {weight.green}"
    assert told == [Completion(progress=Progress.LANDED, share=10, text=text)] * 3
    assert weight.writes() == [f"PUT {weight.green}", "PUT weight"]


async def test_the_old_deployment_stays_until_all_of_the_traffic_was_proven(
    weight: Rollout,
) -> None:
    await weight.change()
    await weight.settled()
    await weight.put_traffic({weight.green: 100}, made="red")

    landed = await weight.complete()

    assert (landed.progress, landed.share) == (Progress.LANDED, 100)
    assert weight.states()["blue"] == "Succeeded"


async def test_traffic_that_somebody_took_back_is_not_given_again(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    weight.proven = 50

    with pytest.raises(AzureRequestError, match="blue 100 %: somebody else"):
        await weight.complete()


async def test_a_step_that_azure_ends_as_failed_is_raised_in_its_words_and_never_proven(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator, updates=["succeeds", "succeeds", "fails"])
    async with rollout(session) as weight:
        await weight.change()
        await weight.settled()

        with pytest.raises(AzureRequestError) as raised:
            await weight.completed()

        green = weight.green
        assert (weight.traffic(), weight.proven) == ({green: 50, "blue": 50}, 50)
        assert not raised.value.retryable
        assert str(raised.value) == (
            f"the endpoint is Failed, its traffic to be {green} 100 %: InternalServerError "
            "The traffic could not be divided."
        )
        assert weight.states()["blue"] == "Succeeded"


async def test_what_a_failed_endpoint_shows_is_not_taken_for_undone(session: ArmSession) -> None:
    seed_endpoint(session.emulator, updates=["succeeds", "fails", "succeeds"])
    async with rollout(session) as weight:
        await weight.change()
        await weight.settled()
        await weight.complete()
        await weight.until_state("weight", "Succeeded")
        with pytest.raises(AzureRequestError, match="traffic goes back to blue"):
            await weight.undo()
        await weight.until_state("weight", "Failed")

        failed = await weight.look(undone=True)
        divided = weight.traffic()
        state = await weight.undone()

        assert (failed.phase, failed.reason) == (Phase.FAILED, "Failed")
        assert "traffic to be blue 100 %" in failed.text
        assert "could not be divided" in failed.text
        assert divided == {weight.green: 10, "blue": 90}
        assert (state.phase, weight.states()["weight"]) == (Phase.READY, "Succeeded")
        green = weight.green
        assert weight.writes() == [f"PUT {green}", *["PUT weight"] * 3, f"DELETE {green}"]


async def test_traffic_keeps_what_else_the_endpoint_says(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    await weight.complete()

    (endpoint,) = weight.emulator.state()["endpoints"]
    assert (endpoint["tags"], endpoint["authMode"]) == ({"team": "growth"}, "Key")


async def test_traffic_that_somebody_else_divided_meanwhile_is_left_alone(
    weight: Rollout,
) -> None:
    await weight.change()
    await weight.settled()
    await weight.put_traffic({"blue": 60, "red": 40}, made="red")

    with pytest.raises(AzureRequestError, match="somebody else") as raised:
        await weight.complete()
    with pytest.raises(ChangedByOthersError, match="blue 60 %, red 40 %"):
        await weight.undo()

    assert not raised.value.retryable
    assert weight.traffic() == {"blue": 60, "red": 40}
    assert weight.green in weight.states()


async def test_the_old_deployment_may_be_kept_without_traffic(session: ArmSession) -> None:
    seed_endpoint(session.emulator)
    async with rollout(session, keeps_old=True) as weight:
        await weight.change()
        await weight.settled()
        await weight.completed()

        assert weight.states()["blue"] == "Succeeded"
        assert weight.traffic() == {weight.green: 100}


async def test_an_old_deployment_that_cannot_be_deleted_undoes_nothing_and_is_told(
    weight: Rollout,
) -> None:
    await weight.change()
    await weight.settled()
    weight.emulator.fault("/deployments/blue$", method="DELETE", times=None, status=403)

    await weight.completed()
    end = await weight.complete()

    assert weight.traffic() == {weight.green: 100}
    assert end.progress is Progress.DONE
    assert end.text.startswith("blue stays, without traffic, and costs on: ")
    assert "onlineEndpoints/deployments/delete" in end.text


async def test_where_nobody_may_look_whether_it_is_gone_that_is_told(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    await weight.told_until_done(first=Progress.CLEARING)
    weight.emulator.fault("/deployments$", method="GET", status=403)

    end = await weight.complete()

    assert end.progress is Progress.DONE
    assert end.text.startswith("blue was not seen to be gone, and may cost on: ")
    assert "onlineEndpoints/deployments/read" in end.text


async def test_a_deletion_that_azure_did_not_take_now_is_asked_for_again(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    weight.emulator.fault("/deployments/blue$", method="DELETE", status=503)

    await weight.completed()

    assert "blue" not in weight.states()
    assert weight.emulator.faults()[0]["hits"] == 1


async def test_it_is_done_only_once_the_old_deployment_was_seen_gone(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()

    steps = await weight.told_until_done()

    said = [each.text for each in steps if each.progress is Progress.CLEARING]
    assert said[0] == "blue is asked to go, and costs on until it is gone"
    assert set(said[1:]) == {"blue is being deleted, and costs on until it is gone"}
    assert steps[-1] is NOTHING_LEFT
    assert "blue" not in weight.states()
    assert weight.writes().count("DELETE blue") == 1


async def test_a_deletion_that_azure_took_and_forgot_is_asked_for_again(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    weight.emulator.fault("/deployments/blue$", method="DELETE", status=202)

    await weight.completed()

    assert weight.emulator.faults()[0]["hits"] == 1
    assert "blue" not in weight.states()


async def test_one_404_does_not_make_an_old_deployment_gone(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    weight.emulator.fault("/deployments(/blue)?$", method="GET", status=404)

    await weight.completed()

    assert weight.emulator.faults()[0]["hits"] == 1
    assert "blue" not in weight.states()


async def test_what_is_being_deleted_is_cleared_away_whatever_becomes_of_the_endpoint(
    session: ArmSession,
) -> None:
    seed_endpoint(session.emulator, updates=[*["succeeds"] * 3, "fails"])
    async with rollout(session) as weight:
        await weight.change()
        await weight.settled()
        steps = await weight.told_until_done(first=Progress.CLEARING)
        await weight.put_traffic({weight.green: 100})
        await weight.until_state("weight", "Failed")

        later = await weight.told_until_done()

    assert steps[-1].progress is Progress.CLEARING
    assert later[-1] is NOTHING_LEFT


async def test_traffic_does_not_go_back_to_what_is_gone(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()
    await weight.completed()

    with pytest.raises(AzureRequestError, match="blue is gone") as raised:
        await weight.undo()

    assert not raised.value.retryable
    assert weight.traffic() == {weight.green: 100}
