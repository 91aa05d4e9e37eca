"""azure-mgmt-machinelearningservices, whose api-versions are of 2020: list everything, scale a cluster, stop
the first machine that runs.

Argument: the ARM id of the cluster.
"""

import os
from datetime import timedelta
from typing import Any

from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices.models import ClusterUpdateParameters, ScaleSettings

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(compute_id: str) -> dict[str, Any]:
    _, _, subscription, _, group, _, _, _, workspace, _, name = compute_id.split("/")
    url = os.environ["AZURE_RESOURCE_MANAGER_URL"]
    client = MachineLearningServicesMgmtClient(
        secret_credential(),
        subscription,
        base_url=url,
        credential_scopes=["https://management.azure.com/.default"],
        polling_interval=0.1,
    )
    compute = client.machine_learning_compute
    bounds = ScaleSettings(
        max_node_count=3, min_node_count=1, node_idle_time_before_scale_down=timedelta(minutes=5)
    )
    scaled: Any = compute.begin_update(
        group, workspace, name, ClusterUpdateParameters(scale_settings=bounds)
    ).result(timeout=60)
    computes: list[Any] = list(compute.list_by_workspace(group, workspace))
    machine = next(c for c in computes if _is_running(c))
    compute.stop(group, workspace, machine.name)
    return {
        "workspaces": sorted(str(listed.id) for listed in client.workspaces.list_by_subscription()),
        "computes": sorted(str(c.id) for c in computes),
        "stopped": machine.id,
        "compute": compute.get(group, workspace, name).id,
        "scaled": scaled.properties.properties.scale_settings.max_node_count,
    }


def _is_running(compute: Any) -> bool:
    outer = compute.properties
    return bool(outer.compute_type == "ComputeInstance" and outer.properties.state == "Running")


if __name__ == "__main__":
    stages.play(main)
