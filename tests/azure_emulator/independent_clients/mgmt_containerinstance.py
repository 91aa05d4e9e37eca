"""azure-mgmt-containerinstance: list and read a group, update it, restart, stop and start it, its log.

Argument: `<ARM id of the group> <another image>`.
"""

import os
from typing import Any

from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import Resource

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential

SECONDS = 30


def main(argument: str) -> dict[str, Any]:
    group_id, image = argument.split()
    _, _, subscription, _, group, _, _, _, name = group_id.split("/")
    client = ContainerInstanceManagementClient(
        secret_credential(),
        subscription,
        base_url=os.environ["AZURE_RESOURCE_MANAGER_URL"],
        credential_scopes=["https://management.azure.com/.default"],
        polling_interval=0.1,
    )
    groups: Any = client.container_groups
    before = groups.get(group, name)
    before.containers[0].image = image
    updated = groups.begin_create_or_update(group, name, before).result(timeout=SECONDS)
    groups.begin_restart(group, name).result(timeout=SECONDS)
    groups.stop(group, name)
    stopped = groups.get(group, name).instance_view.state
    groups.begin_start(group, name).result(timeout=SECONDS)
    return {
        "listed": [str(each.id) for each in groups.list()],
        "in_group": [str(each.id) for each in groups.list_by_resource_group(group)],
        "message": before.containers[0].instance_view.events[1].message,
        "updated": (updated.provisioning_state, updated.containers[0].image),
        "stopped": stopped,
        "tags": groups.update(group, name, Resource(tags={"team": "growth"})).tags,
        "log": client.containers.list_logs(group, name, "weight", tail=1).content,
    }


if __name__ == "__main__":
    stages.play(main)
