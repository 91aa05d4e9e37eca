"""azure-ai-ml: list workspaces and computes, stop and start a machine through its pollers.

Argument: the ARM id of the machine.
"""

import logging
from typing import Any

from azure.ai.ml import MLClient

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential

# The SDK's poller would wait 30 s before it asks again, for a stop names no Retry-After.
POLL_SECONDS = 0.1


def main(stop_id: str) -> dict[str, Any]:
    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
    _, _, subscription, _, group, _, _, _, workspace, _, name = stop_id.split("/")
    client = MLClient(
        secret_credential(),
        subscription,
        group,
        workspace,
        enable_telemetry=False,
        show_progress=False,
        polling_interval=POLL_SECONDS,
    )
    found: dict[str, Any] = {
        "workspaces": sorted(str(listed.id) for listed in client.workspaces.list()),
        "workspace": client.workspaces.get(workspace).id,
        "computes": {
            str(compute.id): getattr(compute, "state", None) for compute in client.compute.list()
        },
        "sizes": sorted(str(size.name) for size in client.compute.list_sizes()),
    }
    client.compute.begin_stop(name).result(timeout=60)
    found["stopped"] = client.compute.get(name).state
    client.compute.begin_start(name).result(timeout=60)
    found["started"] = client.compute.get(name).state
    return found


if __name__ == "__main__":
    stages.play(main)
