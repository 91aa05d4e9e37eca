"""Redeploys of container groups where the service principal lacks a right: it is named."""

import pytest

from shared.errors import MissingRightError
from shared.scoring.redeploy.mover import Change
from tests.support.arm_session import ArmSession
from tests.support.container_groups import REPOSITORY, a_container, a_group, with_group
from tests.support.moved_group import RESTART, an_image, effects, moving


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (an_image("2"), "Microsoft.ContainerInstance/containerGroups/write"),
        (RESTART, "Microsoft.ContainerInstance/containerGroups/restart/action"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_a_right_that_is_missing_is_named(
    session: ArmSession, change: Change, action: str
) -> None:
    with_group(session.emulator, access={"service_principal": [{"actions": ["*/read"]}]})

    async with moving(session) as group:
        snapshot = await group.snapshot()
        with pytest.raises(MissingRightError) as raised:
            await group.change(change, snapshot)

    assert raised.value.action == action
    assert effects(session) == (0, 0)


async def test_the_right_to_look_may_be_missing_too(session: ArmSession) -> None:
    grants = [{"actions": ["Microsoft.MachineLearningServices/*"]}]
    with_group(session.emulator, access={"service_principal": grants})

    async with moving(session) as group:
        with pytest.raises(MissingRightError) as raised:
            await group.snapshot()

    assert raised.value.action == "Microsoft.ContainerInstance/containerGroups/read"


async def test_the_right_to_give_an_identity_may_be_missing(session: ArmSession) -> None:
    with_group(session.emulator)
    message = (
        "The client has permission to perform action 'Microsoft.ContainerInstance/containerGroups/"
        "write' on scope 's'; however, it does not have permission to perform action(s) "
        "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) 'i'"
    )
    error = {"error": {"code": "LinkedAuthorizationFailed", "message": message}}
    session.emulator.fault("/weight$", method="PUT", status=403, body=error)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        with pytest.raises(MissingRightError) as raised:
            await group.change(an_image("2"), snapshot)

    assert raised.value.action == "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


async def test_a_log_that_may_not_be_read_does_not_hide_the_rest(session: ArmSession) -> None:
    container = a_container(image=f"{REPOSITORY}:crashes")
    grants = [{"actions": ["Microsoft.ContainerInstance/containerGroups/read"]}]
    with_group(session.emulator, a_group(container), access={"service_principal": grants})

    async with moving(session) as group:
        snapshot = await group.snapshot()
        state = await group.state(snapshot)

    evidence = "\n".join(state.evidence)
    assert "containerGroups/containers/logs/read" in evidence
    assert "weight: " in evidence
