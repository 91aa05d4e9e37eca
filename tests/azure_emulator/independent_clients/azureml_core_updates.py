"""azureml-core: update a web service's image, its properties and its model, following each operation.

Argument: the ARM id of a workspace with the services `of-image` and `of-models`.
"""

import warnings
from types import SimpleNamespace
from typing import Any

from azureml.core import Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.core.webservice import Webservice

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential

SECONDS = 60


def main(workspace_id: str) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    _, _, subscription, _, group, _, _, _, name = workspace_id.split("/")
    credential = secret_credential()
    authentication = TokenAuthentication(
        get_token_for_audience=lambda audience: credential.get_token(f"{audience}/.default").token
    )
    workspace = Workspace(subscription, group, name, auth=authentication)
    good, bad = (SimpleNamespace(id=f"weight:{version}") for version in (5, 7))
    return {
        "property": updated(workspace, "of-image", properties={"redeploy_id": "r-1"}),
        "image": updated(workspace, "of-image", image=good, tags={"team": "risk"}),
        "failing": updated(workspace, "of-image", image=bad),
        "models": updated(workspace, "of-models", properties={"redeploy_id": "r-2"}),
        "environment": Webservice(workspace, "of-models").environment.name,
    }


def updated(workspace: Any, name: str, **changes: Any) -> dict[str, Any]:
    service = Webservice(workspace, name)
    service.update(**changes)
    try:
        service.wait_for_deployment(show_output=False, timeout_sec=SECONDS)
        ended = "Succeeded"
    except Exception as error:  # noqa: BLE001  # what the SDK makes of it is what is asked here
        ended = type(error).__name__
    seen = Webservice(workspace, name)
    return {
        "ended": ended,
        "state": seen.state,
        "image": seen.image_id,
        "tags": seen.tags,
        "properties": seen.properties,
    }


if __name__ == "__main__":
    stages.play(main)
