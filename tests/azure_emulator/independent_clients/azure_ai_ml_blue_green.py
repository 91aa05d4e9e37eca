"""azure-ai-ml: a blue/green rollout: read blue, make green like it, move traffic, delete blue.

Argument: the ARM id of an endpoint. Green gets version 5 of blue's model; version 7 is tried first.
"""

import logging
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.constants._common import LROConfigurations
from azure.ai.ml.entities import ManagedOnlineDeployment
from azure.core.exceptions import HttpResponseError

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.azure_ai_ml_endpoints import score
from tests.azure_emulator.independent_clients.sign_in import secret_credential

TIMEOUT_SECONDS = 60


def main(endpoint_id: str) -> dict[str, Any]:
    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
    # Its pollers would wait 5 s for what takes a moment here.
    LROConfigurations.POLL_INTERVAL = 1
    _, _, subscription, _, group, _, _, _, workspace, _, name = endpoint_id.split("/")
    scope = (subscription, group, workspace)
    quiet: dict[str, Any] = {"enable_telemetry": False, "show_progress": False}
    client = MLClient(secret_credential(), *scope, **quiet)
    # Where the SDK names no interval itself, it would wait 30 s.
    quick = MLClient(secret_credential(), *scope, polling_interval=1, **quiet)
    made = {version: make_green(client, name, version=version) for version in (7, 5)}
    found = {
        "made": made,
        "logs": client.online_deployments.get_logs("green", name, lines=10),
        "by_name": score(client, name, "green"),
        "traffic": [divide(quick, name, blue=90, green=10), divide(quick, name, green=100)],
    }
    quick.online_deployments.begin_delete("blue", name).result(timeout=TIMEOUT_SECONDS)
    return found | {"left": [each.name for each in client.online_deployments.list(name)]}


def make_green(client: MLClient, endpoint: str, *, version: int) -> list[str]:
    """Return how it ended, or what was wrong."""
    blue = client.online_deployments.get("blue", endpoint)
    green = ManagedOnlineDeployment(
        name="green",
        endpoint_name=endpoint,
        model=f"{str(blue.model).rpartition('/')[0]}/{version}",
        environment=blue.environment,
        instance_type=blue.instance_type,
        instance_count=blue.instance_count,
        environment_variables=blue.environment_variables,
    )
    poller = client.online_deployments.begin_create_or_update(green)
    try:
        ended: Any = poller.result(timeout=TIMEOUT_SECONDS)
    except HttpResponseError as error:
        return [str(error.error and error.error.code), "Failed"]
    return ["", ended.provisioning_state]


def divide(client: MLClient, name: str, **traffic: int) -> dict[str, int]:
    endpoint = client.online_endpoints.get(name)
    endpoint.traffic = traffic
    poller = client.online_endpoints.begin_create_or_update(endpoint)
    shown: dict[str, int] = poller.result(timeout=TIMEOUT_SECONDS).traffic
    return shown


if __name__ == "__main__":
    stages.play(main)
