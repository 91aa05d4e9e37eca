"""azureml-core: list and read web services, get keys or a token, read logs, run each of them.

Argument: the ARM id of a workspace.
"""

import json
import warnings
from typing import Any

from azureml.core import Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.core.webservice import Webservice
from azureml.exceptions import WebserviceException

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(workspace_id: str) -> dict[str, Any]:
    # The SDK warns that get_token is deprecated, and so is all of the SDK.
    warnings.simplefilter("ignore")
    _, _, subscription, _, group, _, _, _, name = workspace_id.split("/")
    credential = secret_credential()
    authentication = TokenAuthentication(
        get_token_for_audience=lambda audience: credential.get_token(f"{audience}/.default").token
    )
    workspace = Workspace(subscription, group, name, auth=authentication)
    listed = Webservice.list(workspace)
    return {
        "services": {service.name: seen(Webservice(workspace, service.name)) for service in listed},
        "on_aks": [service.name for service in Webservice.list(workspace, compute_type="AKS")],
        "missing": refusal(workspace),
    }


def seen(service: Any) -> dict[str, Any]:
    return {
        "kind": type(service).__name__,
        "state": service.state,
        "scoring_uri": service.scoring_uri,
        "tags": service.tags,
        "created": service.created_time.isoformat(),
        "image": service.image_id,
        "logs": service.get_logs(num_lines=1),
        "credentials": credentials(service),
        "answer": service.run(json.dumps({"height": 138})),
    }


def credentials(service: Any) -> list[str]:
    """Name the kind of what is handed out; the values are proven by the run."""
    if service.auth_enabled:
        primary, secondary = service.get_keys()
        return ["keys"] if primary != secondary else []
    if service.token_auth_enabled:
        token, refresh_after = service.get_token()
        return ["token"] if token and refresh_after else []
    return []


def refusal(workspace: Any) -> str:
    try:
        Webservice(workspace, "not-there")
    except WebserviceException as error:
        return str(error.message)
    return ""


if __name__ == "__main__":
    stages.play(main)
