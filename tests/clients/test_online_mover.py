"""Blue/green redeploys of online endpoints: what is new is proven apart, then gets the traffic."""

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from shared.clients.online_rollout import deployment_name
from shared.errors import AzureRequestError, MissingRightError
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Change,
    ChangeKind,
    Marker,
    Phase,
)
from shared.time_ordered_id import new_id
from tests.support.arm_session import ArmSession
from tests.support.builders import NIGHT, SUBSCRIPTION
from tests.support.online_rollout import (
    RESTART,
    RIGHT,
    WRONG,
    Rollout,
    rollout,
    seed_endpoint,
)
from tests.support.r_services import OTHER_WEIGHT_OF_138, RServiceProcess, serve_weight

WRONG_MODEL = Change(kind=ChangeKind.MODEL, target="weight-lm:6")


CRASHING = Change(kind=ChangeKind.MODEL, target="weight-lm:7")


ENDLESS = Change(kind=ChangeKind.MODEL, target="weight-lm:8")


Step = Callable[[Rollout], Coroutine[Any, Any, Any]]


async def test_a_new_model_is_deployed_proven_by_name_and_given_the_traffic_in_steps(
    weight: Rollout,
) -> None:
    await weight.change()
    state = await weight.settled()
    headers = weight.headers(share=0)

    assert (state.phase, weight.traffic()) == (Phase.READY, {"blue": 100})
    assert headers == {"azureml-model-deployment": weight.green}
    assert (weight.headers(share=50), weight.headers(share=100)) == (headers, {})
    assert weight.answer(of=weight.green) == RIGHT
    green = weight.green
    assert await weight.completed() == [
        {green: 10, "blue": 90},
        {green: 50, "blue": 50},
        {green: 100},
    ]
    assert "blue" not in weight.states()
    assert weight.writes() == [f"PUT {green}", *["PUT weight"] * 3, "DELETE blue"]


async def test_what_is_new_is_like_the_old_but_for_what_is_changed(weight: Rollout) -> None:
    await weight.change()

    (endpoint,) = weight.emulator.state()["endpoints"]
    (blue, green) = endpoint["deployments"]
    shown = await weight.shown(weight.green)
    assert (blue["model"], green["model"]) == ("weight-lm:4", "weight-lm:5")
    assert blue["environment"] == green["environment"]
    assert shown["properties"]["environmentVariables"] == {"DB_PASSWORD": "secret-of-the-model"}
    assert shown["sku"]["capacity"] == 2
    assert shown["tags"] == {"redeploy_id": weight.marker.redeploy_id}


@pytest.mark.parametrize(
    ("change", "model", "environment"),
    [
        (RESTART, "weight-lm:4", "r-plumber:2"),
        (Change(kind=ChangeKind.IMAGE, target="r-plumber:3"), "weight-lm:4", "r-plumber:3"),
    ],
    ids=["restart", "image"],
)
async def test_a_restart_is_a_copy_and_an_image_is_an_environment(
    weight: Rollout, change: Change, model: str, environment: str
) -> None:
    await weight.change(change)

    assert (await weight.settled()).phase is Phase.READY
    assert weight.answer(of=weight.green) == RIGHT
    (endpoint,) = weight.emulator.state()["endpoints"]
    green = endpoint["deployments"][1]
    assert (green["model"], green["environment"]) == (model, environment)


async def test_a_deployment_that_fails_says_why_without_secrets_and_is_taken_away(
    weight: Rollout,
) -> None:
    await weight.change(CRASHING)
    state = await weight.settled()

    assert (state.phase, state.reason) == (Phase.FAILED, "ResourceNotReady")
    assert "crashed" in state.text
    assert state.evidence == ["no login with <DB_PASSWORD>", "see https://blob.test/m"]
    assert (await weight.undone()).phase is Phase.READY
    assert weight.states() == {"weight": "Succeeded", "blue": "Succeeded"}
    assert weight.writes() == [f"PUT {weight.green}", f"DELETE {weight.green}"]


async def test_a_deployment_that_is_never_ready_is_waited_for_and_can_be_taken_away(
    weight: Rollout,
) -> None:
    await weight.change(ENDLESS)

    assert (await weight.look()).phase is Phase.WAITING
    assert (await weight.undone()).phase is Phase.READY
    assert weight.answer() == RIGHT


async def test_a_new_deployment_that_one_look_does_not_find_is_waited_for(weight: Rollout) -> None:
    await weight.change()
    weight.emulator.fault("/deployments/ops-", method="GET", status=404)

    missed = await weight.look()

    said = f"{weight.green} is not there"
    assert (missed.phase, missed.reason, missed.text) == (Phase.WAITING, "NotFound", said)
    assert (await weight.settled()).phase is Phase.READY


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/deployments/blue$"), ("PUT", "/deployments/ops-")]
)
async def test_a_404_amid_a_change_is_no_reason_to_give_it_up(
    weight: Rollout, method: str, path: str
) -> None:
    weight.emulator.fault(path, method=method, status=404)
    with pytest.raises(AzureRequestError) as raised:
        await weight.change()

    await weight.change()

    assert raised.value.retryable
    assert (await weight.settled()).phase is Phase.READY


async def test_undoing_deletes_what_one_look_did_not_find(weight: Rollout) -> None:
    await weight.change()
    weight.emulator.fault("/deployments/ops-", method="GET", status=404)

    assert (await weight.undone()).phase is Phase.READY
    assert weight.states() == {"weight": "Succeeded", "blue": "Succeeded"}


async def test_a_wrong_answer_is_heard_before_anybody_gets_it(weight: Rollout) -> None:
    await weight.change(WRONG_MODEL)
    await weight.settled()

    assert weight.answer(of=weight.green) == WRONG
    assert [weight.answer() for _ in range(5)] == [RIGHT] * 5
    assert (await weight.undone()).phase is Phase.READY
    assert weight.answer(of="blue") == RIGHT


async def test_the_wrong_rds_in_real_r_is_undone_and_the_old_answers_again(
    session: ArmSession, weight_model: Path, other_weight_model: Path
) -> None:
    with (
        RServiceProcess(serve=serve_weight, trained=weight_model) as right,
        RServiceProcess(serve=serve_weight, trained=other_weight_model) as wrong,
    ):
        assets = [
            {"name": "weight-lm:4", "backend": right.url},
            {"name": "weight-lm:6", "backend": wrong.url},
        ]
        seed_endpoint(session.emulator, assets=assets)
        async with rollout(session) as weight:
            await weight.change(WRONG_MODEL)
            await weight.settled()
            proven = weight.weigh(of=weight.green)
            state = await weight.undone()
            afterwards = weight.weigh()

    assert proven == {"response": [OTHER_WEIGHT_OF_138]}
    assert (state.phase, afterwards) == (Phase.READY, {"response": [161.8533]})


async def test_undoing_what_was_never_made_does_nothing(weight: Rollout) -> None:
    assert (await weight.undone()).phase is Phase.READY
    assert weight.writes() == []


async def begin(weight: Rollout) -> None:
    await weight.change()


async def shift(weight: Rollout) -> None:
    await weight.complete()


async def test_a_change_whose_answer_was_lost_is_not_made_again(weight: Rollout) -> None:
    weight.emulator.fault("/deployments/ops-", method="PUT", cut="after_effect")
    with pytest.raises(AzureRequestError) as raised:
        await weight.change()

    await weight.change()

    assert (raised.value.retryable, weight.puts("/deployments/")) == (True, [None])
    assert (await weight.settled()).phase is Phase.READY


@pytest.mark.parametrize("again", [1, 3])
async def test_every_effect_may_be_asked_for_again_and_is_made_once(
    weight: Rollout, again: int
) -> None:
    for _ in range(again):
        await weight.change()
    await weight.settled()
    await weight.completed()
    for _ in range(again):
        assert await weight.complete() is NOTHING_LEFT

    green = weight.green
    assert weight.writes() == [f"PUT {green}", *["PUT weight"] * 3, "DELETE blue"]


async def test_undoing_again_deletes_once(weight: Rollout) -> None:
    await weight.change()
    await weight.settled()

    for _ in range(3):
        await weight.undone()

    assert weight.writes() == [f"PUT {weight.green}", f"DELETE {weight.green}"]


async def test_another_change_at_work_is_waited_for(weight: Rollout) -> None:
    conflict = {"error": {"code": "Conflict", "message": "being updated"}}
    weight.emulator.fault("/deployments/", method="PUT", status=409, body=conflict)

    with pytest.raises(AzureRequestError) as raised:
        await weight.change()

    assert raised.value.retryable


async def test_the_record_holds_no_environment_variable(weight: Rollout) -> None:
    recorded = json.dumps(dict(weight.snapshot.details))

    assert "secret-of-the-model" not in recorded
    assert weight.snapshot.details == {
        "traffic": {"blue": 100},
        "model": "weight-lm:4",
        "environment": "r-plumber:2",
    }


@pytest.mark.parametrize(
    ("lacking", "step"),
    [
        ("onlineEndpoints/deployments/write", begin),
        ("onlineEndpoints/deployments/read", begin),
        ("onlineEndpoints/write", shift),
    ],
)
async def test_a_right_that_is_missing_is_named(
    session: ArmSession, lacking: str, step: Step
) -> None:
    provider = "Microsoft.MachineLearningServices/workspaces"
    seed_endpoint(session.emulator)
    async with rollout(session) as weight:
        path = "/deployments/ops-" if step is begin else "/weight$"
        method = "GET" if lacking.endswith("read") else "PUT"
        weight.emulator.fault(path, method=method, times=None, status=403)

        with pytest.raises(MissingRightError) as raised:
            await step(weight)

    assert raised.value.action == f"{provider}/{lacking}"


def test_a_name_is_made_of_the_redeploys_id_and_fits() -> None:
    first, second = (Marker(redeploy_id=new_id(NIGHT), at=NIGHT) for _ in range(2))

    assert deployment_name(first) == deployment_name(first) != deployment_name(second)
    assert len(deployment_name(first)) <= 32
    assert SUBSCRIPTION not in deployment_name(first)
