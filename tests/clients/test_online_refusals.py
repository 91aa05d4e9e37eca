"""What cannot be redeployed on an online endpoint, and why, before anything is made."""

from typing import Any

import pytest

from shared.clients.online_mover import OnlineMover
from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import (
    Change,
    ChangeKind,
)
from tests.support.arm_session import ArmSession, now
from tests.support.online_rollout import (
    Rollout,
    a_blue,
    a_service,
    rollout,
    seed_endpoint,
)


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        (
            {"deployments": [a_blue(), a_blue(name="red")], "traffic": {"blue": 90, "red": 10}},
            "red 10",
        ),
        ({"traffic": {}}, "nobody's"),
        ({"provisioning_state": "Updating"}, "Updating"),
    ],
    ids=["divided", "nobody", "busy"],
)
async def test_an_endpoint_that_is_not_one_deployments_is_refused_in_words(
    session: ArmSession, seed: dict[str, Any], said: str
) -> None:
    seed_endpoint(session.emulator, **seed)

    async with rollout(session) as weight:
        refuses = weight.snapshot.refuses

    assert refuses.keys() == set(ChangeKind)
    assert said in refuses[ChangeKind.RESTART]


async def test_what_a_deployment_does_not_have_cannot_be_changed(session: ArmSession) -> None:
    seed_endpoint(session.emulator, deployments=[a_blue(model=None)])

    async with rollout(session) as weight:
        assert weight.snapshot.refuses.keys() == {ChangeKind.MODEL}


async def test_a_service_without_a_resource_id_is_refused(session: ArmSession) -> None:
    async with session.open() as arm:
        snapshot = await OnlineMover(arm, now=now).snapshot(a_service(resource_id=None))

    assert "resource_id" in snapshot.refuses[ChangeKind.RESTART]


async def test_an_image_that_is_no_environment_is_refused_and_nothing_is_made(
    weight: Rollout,
) -> None:
    image = Change(kind=ChangeKind.IMAGE, target="contoso.azurecr.io/weight:5")

    with pytest.raises(AzureRequestError, match="registered environment"):
        await weight.change(image)

    assert weight.writes() == []
