"""What is deployed from r_services: Azure ML documents, the Kubernetes manifest, the container files."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from r_services.programs import HERE, SVM, WEIGHT
from r_services.rpy2_svm.deploy_v1 import KNOWN_SCORES, are_known

JOB = HERE / "r_job"
CONTAINERFILES = sorted(HERE.glob("**/Containerfile"))
SERVICE_CONTAINERFILES = [SVM / "Containerfile", WEIGHT / "Containerfile"]
# azure-ai-ml's own dependencies warn on import.
quiet = pytest.mark.filterwarnings("ignore")


@quiet
def test_azure_ml_can_read_the_job() -> None:
    from azure.ai.ml import load_job

    job: Any = load_job(JOB / "job.yml")

    assert job.command == (
        "python3 bootstrapper.py summary.R ${{inputs.weights}} ${{outputs.summary}}"
    )
    assert (JOB / job.code / "bootstrapper.py").is_file()
    assert (JOB / job.environment.build.path / job.environment.build.dockerfile_path).is_file()
    assert job.limits.timeout == 3600


@quiet
def test_azure_ml_can_read_endpoint_and_deployment() -> None:
    from azure.ai.ml import load_online_deployment, load_online_endpoint

    endpoint = load_online_endpoint(SVM / "endpoint.yml")
    deployment: Any = load_online_deployment(SVM / "deployment.yml")

    build = deployment.environment.build
    routes = deployment.environment.inference_config
    assert deployment.endpoint_name == endpoint.name
    assert endpoint.auth_mode == "aad_token"
    assert (SVM / build.path / build.dockerfile_path).is_file()
    assert {name: route["path"] for name, route in routes.items()} == {
        "livenessRoute": "/",
        "readinessRoute": "/",
        "scoringRoute": "/score",
    }
    assert Path(deployment.model.path).name == "model.rds"


def manifest() -> dict[str, Any]:
    documents = yaml.safe_load_all((WEIGHT / "kubernetes.yaml").read_text("utf-8"))
    return {document["kind"]: document for document in documents}


def test_the_service_finds_the_pods_of_the_deployment() -> None:
    service, deployment = manifest()["Service"], manifest()["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]

    assert deployment["apiVersion"] == "apps/v1"
    assert service["spec"]["selector"] == labels == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


def test_kubernetes_probes_routes_that_the_service_has() -> None:
    container = manifest()["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
    routes = re.findall(r'pr_get\("([^"]+)"', (WEIGHT / "api.R").read_text("utf-8"))

    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/ready", "readiness": "/ready", "liveness": "/live"}
    assert set(paths.values()) <= set(routes)
    patience = probes["liveness"]["periodSeconds"] * probes["liveness"]["failureThreshold"]
    assert patience >= 60


def test_a_pod_is_limited_and_has_no_rights() -> None:
    pod = manifest()["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    assert "@sha256:" in container["image"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_every_image_stands_on_the_same_base_by_digest() -> None:
    pattern = r"^ARG BASE=(\S+:bookworm-\d{8}-slim@sha256:[0-9a-f]{64})$"
    bases = [re.findall(pattern, each.read_text("utf-8"), re.MULTILINE) for each in CONTAINERFILES]

    assert len(CONTAINERFILES) == 3
    assert all(len(each) == 1 for each in bases)
    assert len({each[0] for each in bases}) == 1


@pytest.mark.parametrize("path", SERVICE_CONTAINERFILES, ids=lambda path: path.parent.name)
def test_a_service_runs_as_nobody_in_particular_below_an_init(path: Path) -> None:
    source = path.read_text("utf-8")

    assert "\nUSER 10001:10001\n" in source
    assert '\nENTRYPOINT ["catatonit", "--"]\n' in source


@pytest.mark.parametrize("path", SERVICE_CONTAINERFILES, ids=lambda path: path.parent.name)
def test_what_a_container_file_copies_is_there_and_not_ignored(path: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", path.read_text("utf-8"), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    ignored = (path.parent / ".containerignore").read_text("utf-8")

    assert {name for name in names if not (path.parent / name).exists()} == set()
    kept = [line[1:] for line in ignored.splitlines() if line.startswith("!")]
    assert {name for name in names if not any(Path(name).match(each) for each in kept)} == set()
    assert (path.parent / ".dockerignore").read_text("utf-8") == ignored


@pytest.mark.parametrize("target", [["aci"], ["aks", "--cluster", "aks-ml"]], ids=["aci", "aks"])
def test_azureml_core_accepts_what_would_be_deployed(target: list[str]) -> None:
    options = ("--subscription-id", "s", "--resource-group", "g", "--workspace", "w")
    image = ("--image", "example.azurecr.io/rpy2-svm@sha256:0")
    command = [sys.executable, str(SVM / "deploy_v1.py"), *options, *image, "--dry-run", *target]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    described = json.loads(done.stdout[done.stdout.index("{") :])
    assert described["target"].lower().startswith(target[0])
    assert (described["entry_script"], described["auth_enabled"]) == ("score.py", True)


def test_a_deployment_counts_only_with_the_known_scores() -> None:
    near = [[score + 0.009 for score in row] for row in KNOWN_SCORES]
    far = [[score + 0.011 for score in row] for row in KNOWN_SCORES]

    assert are_known(near)
    assert not are_known(far)
    assert not are_known(KNOWN_SCORES[:1])
    assert not are_known([[1], [0]])


def test_none_of_it_is_deployed_with_the_app() -> None:
    ignored = (HERE.parent / ".funcignore").read_text("utf-8").splitlines()

    assert "r_services" in ignored
