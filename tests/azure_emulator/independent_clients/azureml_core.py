"""azureml-core: list every workspace and its computes, stop one machine and see it Stopped.

Argument: the ARM id of the machine.
"""

import time
from typing import Any

from azureml.core import Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.core.compute import ComputeInstance

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential

DEADLINE_SECONDS = 30


def main(stop_id: str) -> dict[str, Any]:
    credential = secret_credential()
    audiences: set[str] = set()

    def token_for(audience: str) -> str:
        audiences.add(audience)
        return credential.get_token(f"{audience}/.default").token

    authentication = TokenAuthentication(get_token_for_audience=token_for)
    subscriptions, _tenant = authentication._get_all_subscription_ids()
    workspaces = [
        workspace
        for subscription in subscriptions
        for listed in Workspace.list(subscription.subscription_id, auth=authentication).values()
        for workspace in listed
    ]
    targets = {
        arm_id(workspace, target): target
        for workspace in workspaces
        for target in whole(workspace).compute_targets.values()
    }
    return {
        "workspaces": sorted(arm_id(workspace) for workspace in workspaces),
        "computes": {name: state_of(target) for name, target in targets.items()},
        "group": sorted(in_group_of(workspaces[0])),
        "audiences": sorted(audiences),
        "stopped": stop(targets[stop_id]),
    }


def whole(workspace: Any) -> Any:
    """Read the workspace itself, as scripts do that name one."""
    return Workspace.get(
        workspace.name,
        auth=workspace._auth,
        subscription_id=workspace.subscription_id,
        resource_group=workspace.resource_group,
    )


def in_group_of(workspace: Any) -> list[str]:
    """List again, narrowed to a resource group: the SDK then sends a longer filter."""
    listed = Workspace.list(
        workspace.subscription_id,
        auth=workspace._auth,
        resource_group=workspace.resource_group,
    )
    return [arm_id(found) for workspaces in listed.values() for found in workspaces]


def stop(instance: Any) -> str:
    instance.stop(wait_for_completion=False)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        instance.refresh_state()
        if instance.get_status().state == "Stopped":
            break
        time.sleep(0.1)
    return str(instance.get_status().state)


def state_of(target: Any) -> str | None:
    if not isinstance(target, ComputeInstance):
        return None
    state: str | None = target.get_status().state
    return state


def arm_id(workspace: Any, target: Any = None) -> str:
    whole_id = (
        f"/subscriptions/{workspace.subscription_id}/resourceGroups/{workspace.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}"
    )
    return f"{whole_id}/computes/{target.name}" if target else whole_id


if __name__ == "__main__":
    stages.play(main)
