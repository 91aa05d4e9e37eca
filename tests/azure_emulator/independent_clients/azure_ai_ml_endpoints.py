"""azure-ai-ml: list and read online endpoints and deployments, get a key or token, score with it.

Argument: the ARM id of an endpoint.
"""

import json
import logging
import os
import tempfile
from typing import Any

from azure.ai.ml import MLClient

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(endpoint_id: str) -> dict[str, Any]:
    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
    _, _, subscription, _, group, _, _, _, workspace, _, name = endpoint_id.split("/")
    client = MLClient(
        secret_credential(),
        subscription,
        group,
        workspace,
        enable_telemetry=False,
        show_progress=False,
    )
    endpoint = client.online_endpoints.get(name)
    shown = client.online_endpoints.get_keys(name)
    deployments = list(client.online_deployments.list(name))
    return {
        "endpoints": sorted(each.name for each in client.online_endpoints.list()),
        "endpoint": [endpoint.id, endpoint.auth_mode, endpoint.provisioning_state],
        "scoring_uri": endpoint.scoring_uri,
        "traffic": endpoint.traffic,
        "deployments": {each.name: each.provisioning_state for each in deployments},
        "model": client.online_deployments.get(deployments[0].name, name).model,
        "signs_in_with": sorted(
            attribute for attribute in vars(shown) if getattr(shown, attribute)
        ),
        "answers": [score(client, name, each.name) for each in deployments],
    }


def score(client: MLClient, endpoint: str, deployment: str) -> Any:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
        json.dump({"height": 138}, request)
        request.flush()
        return json.loads(
            client.online_endpoints.invoke(
                endpoint, deployment_name=deployment, request_file=os.fspath(request.name)
            )
        )


if __name__ == "__main__":
    stages.play(main)
