"""Register the model and deploy it as an Azure ML v1 web service, on ACI for a test or on AKS.

`python deploy_v1.py --subscription-id ID --resource-group RG --workspace WS --image REGISTRY/NAME@DIGEST
aci|aks [...]`, signed in with `az login`. The image is that of the Containerfile. With `--dry-run`
nothing is asked of Azure: it prints what would be deployed.

Microsoft ended the support of v1 on 30 June 2026, and what is deployed goes on; for a new service there
are endpoint.yml and deployment.yml:
https://learn.microsoft.com/azure/machine-learning/migrate-to-v2-deploy-endpoints
"""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODEL_NAME = "rpy2-svm"
MODEL_FILE = HERE / "model.rds"
# Where the Containerfile puts it.
PYTHON = "/opt/venv/bin/python"
TAGS = {"language": "R", "framework": "kernlab"}
# What a deployment must answer before it counts: the origin is inside, the corner outside.
KNOWN_ROWS = {"data": [[0, 0], [0.9, 0.9]]}
KNOWN_SCORES = [[1, 0], [0, 1]]
TOLERANCE = 0.01


def main() -> int:
    """Deploy, and ask the service for known scores; 1 when it is not healthy or answers others."""
    arguments = _parse_arguments()
    configuration = inference_config(arguments.image)
    deployment = deployment_config(arguments.target)
    if arguments.dry_run:
        sys.stdout.write(json.dumps(_described(configuration, deployment), indent=2) + "\n")
        return 0
    service = _deploy(arguments, configuration, deployment)
    scores = service.run(json.dumps(KNOWN_ROWS))["scores"]
    sys.stdout.write(f"{service.name}: {service.state}, {service.scoring_uri}, scores {scores}\n")
    return 0 if service.state == "Healthy" and are_known(scores) else 1


def inference_config(image: str) -> Any:
    """Return azureml-core's InferenceConfig of the entry script in a finished image."""
    from azureml.core import Environment
    from azureml.core.model import InferenceConfig

    environment = Environment.from_docker_image(MODEL_NAME, image)
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = PYTHON
    # The layers that Azure ML puts around a script come with the inference server.
    environment.inferencing_stack_version = "latest"
    return InferenceConfig(
        entry_script="score.py", source_directory=str(HERE), environment=environment
    )


def deployment_config(target: str) -> Any:
    """Return azureml-core's configuration for `aci` or `aks`; both ask for a key."""
    from azureml.core.webservice import AciWebservice, AksWebservice

    if target == "aci":
        return AciWebservice.deploy_configuration(
            cpu_cores=1, memory_gb=1, auth_enabled=True, tags=TAGS
        )
    # One R session per replica, so one request at a time; a queue that is too long is refused.
    return AksWebservice.deploy_configuration(
        autoscale_enabled=True,
        autoscale_min_replicas=2,
        autoscale_max_replicas=6,
        replica_max_concurrent_requests=1,
        scoring_timeout_ms=60_000,
        max_request_wait_time=5_000,
        cpu_cores=0.5,
        memory_gb=1,
        # Patient: a long request delays the health route, too.
        period_seconds=15,
        initial_delay_seconds=30,
        timeout_seconds=10,
        failure_threshold=6,
        auth_enabled=True,
        tags=TAGS,
    )


def are_known(scores: Sequence[Sequence[float]]) -> bool:
    """Whether the scores of KNOWN_ROWS are those of the model."""
    if [len(row) for row in scores] != [len(row) for row in KNOWN_SCORES]:
        return False
    pairs = zip(chain(*scores), chain(*KNOWN_SCORES), strict=True)
    return all(abs(found - known) <= TOLERANCE for found, known in pairs)


def _deploy(arguments: argparse.Namespace, configuration: Any, deployment: Any) -> Any:
    from azureml.core import Model, Workspace
    from azureml.core.authentication import AzureCliAuthentication
    from azureml.core.compute import AksCompute

    workspace = Workspace(
        arguments.subscription_id,
        arguments.resource_group,
        arguments.workspace,
        auth=AzureCliAuthentication(),
    )
    model = Model.register(workspace, str(MODEL_FILE), MODEL_NAME, tags=TAGS)
    cluster = AksCompute(workspace, arguments.cluster) if arguments.target == "aks" else None
    service = Model.deploy(
        workspace,
        arguments.service_name,
        [model],
        configuration,
        deployment,
        deployment_target=cluster,
        overwrite=True,
    )
    service.wait_for_deployment(show_output=True)
    return service


def _described(configuration: Any, deployment: Any) -> dict[str, Any]:
    environment = configuration.environment
    return {
        "model": {"name": MODEL_NAME, "path": MODEL_FILE.name},
        "entry_script": configuration.entry_script,
        "image": environment.docker.base_image,
        "python": environment.python.interpreter_path,
        "target": type(deployment).__name__,
        "auth_enabled": deployment.auth_enabled,
        "cpu_cores": deployment.cpu_cores,
        "memory_gb": deployment.memory_gb,
    }


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("subscription-id", "resource-group", "workspace", "image"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--service-name", default=MODEL_NAME)
    parser.add_argument("--dry-run", action="store_true")
    targets = parser.add_subparsers(dest="target", required=True)
    targets.add_parser("aci", help="Azure Container Instances, for a test")
    aks = targets.add_parser("aks", help="an AKS cluster that is attached to the workspace")
    aks.add_argument("--cluster", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
