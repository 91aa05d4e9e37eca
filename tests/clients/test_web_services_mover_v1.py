"""Redeploys of v1 web services through the real azureml-core: made once, watched, put back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.errors import AzureRequestError, ChangedByOthersError, MissingRightError
from shared.scoring.redeploy.mover import NOTHING_LEFT, Change, ChangeKind, Phase
from tests.support.r_services import OTHER_WEIGHT_OF_138, RServiceProcess, serve_weight
from tests.support.web_service_v1 import (
    OF_IMAGE,
    OF_MODELS,
    RIGHT,
    WRONG,
    lead_to_the_emulator,
    redeploy,
)
from tests.support.worker import Worker

# azureml-core warns of its own end, and of much that it imports.
pytestmark = pytest.mark.filterwarnings("ignore")
RESTART = Change(kind=ChangeKind.RESTART)
GOOD_IMAGE = Change(kind=ChangeKind.IMAGE, target="weight:5")
WRONG_IMAGE = Change(kind=ChangeKind.IMAGE, target="weight:6")


@pytest.fixture
def azure(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """The app's own worker, which azureml-core serves."""
    lead_to_the_emulator(worker, monkeypatch)
    return worker


async def test_another_image_is_given_once_and_serves_everybody(azure: Worker) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        for _ in range(2):
            await weight.change(GOOD_IMAGE)
            state = await weight.settled()
        done = await weight.mover.complete(
            weight.service, snapshot=weight.snapshot, marker=weight.marker, proven=0
        )

        assert (weight.snapshot.image, weight.snapshot.digest) == tuple(OF_IMAGE.values())
        assert (state.phase, done, weight.updates()) == (Phase.READY, NOTHING_LEFT, 1)
        assert weight.headers(share=0) == {}
        assert weight.shown()["image"] == "weight:5"
        assert state.digest not in {None, weight.snapshot.digest}
        # The SDK adds properties of its own: where there is a git repository, what it is at.
        assert weight.shown()["properties"]["redeploy_id"] == weight.marker.redeploy_id


async def test_an_image_may_be_ordered_with_its_digest_as_healing_does(azure: Worker) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        target = f"weight:5@sha256:{'5' * 64}"
        await weight.change(Change(kind=ChangeKind.IMAGE, target=target))
        state = await weight.settled()

        assert (state.phase, weight.shown()["image"]) == (Phase.READY, "weight:5")


async def test_a_restart_bumps_a_property_and_claims_no_more(azure: Worker) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        await weight.change(RESTART)
        state = await weight.settled()
        await weight.undo()

        assert "does not say" in state.text
        assert (weight.shown()["image"], weight.updates()) == ("weight:4", 1)


@pytest.mark.parametrize("kind", ["ACI", "AKS"])
async def test_another_model_goes_where_the_old_one_was_and_can_be_put_back(
    azure: Worker, kind: str
) -> None:
    async with redeploy(azure, compute_type=kind, **OF_MODELS) as weight:
        await weight.change(Change(kind=ChangeKind.MODEL, target="weight:6"))
        await weight.settled()
        wrong, models = weight.answer(), weight.shown()["models"]
        await weight.undo()
        state = await weight.settled(undone=True)

        assert (wrong, models) == (WRONG, ["weight:6"])
        assert (state.phase, weight.answer()) == (Phase.READY, RIGHT)
        assert (weight.shown()["models"], weight.updates()) == (["weight:4"], 2)


async def test_a_wrong_image_is_put_back_once_however_often_it_is_asked_for(
    azure: Worker,
) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        await weight.change(WRONG_IMAGE)
        await weight.settled()
        wrong = weight.answer()
        for _ in range(2):
            await weight.undo()
            state = await weight.settled(undone=True)

        assert (wrong, weight.answer()) == (WRONG, RIGHT)
        assert (state.phase, weight.updates()) == (Phase.READY, 2)
        assert state.digest == weight.snapshot.digest


async def test_an_image_that_somebody_else_gave_it_meanwhile_is_neither_ours_nor_undone(
    azure: Worker,
) -> None:
    async with redeploy(azure, **OF_IMAGE) as others:
        weight = replace(others, marker=replace(others.marker, change=WRONG_IMAGE))
        await weight.change(WRONG_IMAGE)
        await weight.settled()
        others.marker = replace(others.marker, redeploy_id="another")
        await others.change(Change(kind=ChangeKind.IMAGE, target="weight:5"))
        await others.settled()

        with pytest.raises(ChangedByOthersError, match="weight:5"):
            await weight.undo()

        assert (weight.shown()["image"], weight.updates()) == ("weight:5", 2)


async def test_the_wrong_rds_in_real_r_is_put_back(
    azure: Worker, weight_model: Path, other_weight_model: Path
) -> None:
    path = "/weight?height=138"
    with (
        RServiceProcess(serve=serve_weight, trained=weight_model) as right,
        RServiceProcess(serve=serve_weight, trained=other_weight_model) as wrong,
    ):
        assets = [
            {"name": "weight:4", "backend": right.url},
            {"name": "weight:6", "backend": wrong.url},
        ]
        async with redeploy(azure, assets=assets, **OF_IMAGE) as weight:
            await weight.change(WRONG_IMAGE)
            await weight.settled()
            heard = weight.answer("GET", path)
            await weight.undo()
            await weight.settled(undone=True)
            afterwards = weight.answer("GET", path)

    assert (heard, afterwards) == ({"response": [OTHER_WEIGHT_OF_138]}, RIGHT)


async def test_an_update_that_fails_says_why_without_secrets_and_is_put_back(
    azure: Worker,
) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        await weight.change(Change(kind=ChangeKind.IMAGE, target="weight:7"))
        state = await weight.settled()
        await weight.undo()
        back = await weight.settled(undone=True)

        assert (state.phase, state.reason) == (Phase.FAILED, "DeploymentTimedOut")
        assert state.evidence == ["see https://blob.test/m"]
        assert (back.phase, weight.answer()) == (Phase.READY, RIGHT)


async def test_an_update_that_never_ends_is_waited_for_also_by_undoing(azure: Worker) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        await weight.change(Change(kind=ChangeKind.IMAGE, target="weight:8"))

        with pytest.raises(AzureRequestError, match="Azure still holds the update") as raised:
            await weight.undo()
        assert "when it has ended, redeploy weight:4" in str(raised.value)
        assert (await weight.look()).phase is Phase.WAITING
        assert (raised.value.retryable, weight.updates()) == (True, 1)


async def test_an_update_whose_answer_was_lost_is_not_sent_again(azure: Worker) -> None:
    async with redeploy(azure, **OF_IMAGE) as weight:
        weight.emulator.fault("/services/weight$", method="PATCH", cut="after_effect", times=1)
        # The SDK asks again by itself, and is told that an update is at work.
        with pytest.raises(AzureRequestError) as raised:
            await weight.change(GOOD_IMAGE)
        await weight.change(GOOD_IMAGE)
        await weight.settled()

        assert raised.value.retryable

        assert weight.shown()["image"] == "weight:5"
        assert weight.updates() == 1


@pytest.mark.parametrize(
    ("seed", "refused"),
    [
        (OF_IMAGE, {ChangeKind.MODEL}),
        (OF_MODELS, {ChangeKind.IMAGE}),
        ({}, {ChangeKind.MODEL, ChangeKind.IMAGE}),
        ({"image": "weight:4", "state": "Transitioning"}, set(ChangeKind)),
    ],
    ids=["of an image", "of models", "of neither", "being updated"],
)
async def test_what_could_not_be_brought_back_is_refused(
    azure: Worker, seed: dict[str, Any], refused: set[ChangeKind]
) -> None:
    async with redeploy(azure, **seed) as weight:
        assert weight.snapshot.refuses.keys() == refused


async def test_of_several_models_the_one_of_that_name_is_replaced(azure: Worker) -> None:
    async with redeploy(azure, models=["scale:1", "weight:4"]) as weight:
        with pytest.raises(AzureRequestError, match="none of them is called other"):
            await weight.change(Change(kind=ChangeKind.MODEL, target="other:1"))
        await weight.change(Change(kind=ChangeKind.MODEL, target="weight:5"))

        assert weight.shown()["models"] == ["scale:1", "weight:5"]


async def test_a_right_that_is_missing_is_named(azure: Worker) -> None:
    async with redeploy(azure, compute_type="AKS", **OF_IMAGE) as weight:
        weight.emulator.fault("/services/weight$", method="PATCH", status=403, times=None)

        with pytest.raises(MissingRightError) as raised:
            await weight.change(GOOD_IMAGE)

    wanted = "Microsoft.MachineLearningServices/workspaces/services/aks/write"
    assert raised.value.action == wanted
