"""What may be declared of the cluster, the container group or the web service that runs a service."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.scoring.service import Aks
from tests.support.declared import WORKSPACE, declared, refusal

WEB_SERVICE = {"kind": "aml-v1", "resource_id": f"{WORKSPACE}/services/weight"}
_PROVIDERS = WORKSPACE.partition("/Microsoft.")[0]
GROUP = f"{_PROVIDERS}/Microsoft.ContainerInstance/containerGroups/weight-jesUTi_FHUyv"
CLUSTER = f"{_PROVIDERS}/Microsoft.ContainerService/managedClusters/aks-r"
DEPLOYMENT = {"namespace": "azureml-ws-r", "deployment": "weight"}


@pytest.mark.parametrize(
    "service",
    [{"kind": "http"}, {"kind": "aks"}, {"kind": "aml-v1"}],
    ids=lambda service: service["kind"],
)
def test_a_deployment_belongs_to_a_cluster_that_is_named(service: dict[str, Any]) -> None:
    said = refusal(**service, aks={"deployment": "weight"})

    assert "aks needs kind aks, and resource_id" in said


@pytest.mark.parametrize("service", [{"kind": "http"}, {"kind": "aci"}, {"kind": "aml-v1"}])
def test_only_a_container_group_has_a_container(service: dict[str, Any]) -> None:
    said = refusal(**service, aci={"container": "weight"})

    assert "aci needs kind aci, and resource_id" in said


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({"kind": "aci", "runs_on": GROUP}, "runs_on needs kind aml-v1, and resource_id"),
        ({"kind": "aml-v1", "runs_on": GROUP}, "runs_on needs kind aml-v1, and resource_id"),
        ({**WEB_SERVICE, "runs_on": WEB_SERVICE["resource_id"]}, "runs_on must be the ARM id of"),
        ({**WEB_SERVICE, "runs_on": CLUSTER}, "runs_on is a cluster: name the Deployment in aks"),
        ({**WEB_SERVICE, "runs_on": GROUP, "aks": DEPLOYMENT}, "aks needs kind aks"),
        ({**WEB_SERVICE, "runs_on": CLUSTER, "aks": DEPLOYMENT, "aci": {}}, "aci needs kind aci"),
    ],
    ids=[
        "another kind",
        "no web service",
        "no platform",
        "no Deployment",
        "no cluster",
        "no group",
    ],
)
def test_what_a_web_service_runs_on_is_named_as_a_whole(service: dict[str, Any], says: str) -> None:
    assert says in refusal(**service)


def test_a_web_service_may_name_what_it_runs_on() -> None:
    on_group = declared(**WEB_SERVICE, runs_on=GROUP, aci={"container": "weight"})
    on_cluster = declared(**WEB_SERVICE, runs_on=CLUSTER.lower(), aks=DEPLOYMENT)

    assert (on_group.runs_on, on_cluster.runs_on) == (GROUP, CLUSTER.lower())


@pytest.mark.parametrize(
    "secrets",
    [
        {"API_KEY": "weight-api-key"},
        {"containers/weight/environmentVariables/API_KEY": "a key, not its name"},
        {"extensions/vk/protectedSettings": "weight-vk"},
    ],
    ids=["no field", "no name", "cannot be supplied"],
)
def test_a_secure_value_is_named_by_its_field_and_its_secret(secrets: dict[str, str]) -> None:
    group = "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ContainerInstance/{}"
    resource_id = group.format("1" * 8 + "-1111-4111-8111-" + "1" * 12, "containerGroups/weight")

    refusal(kind="aci", resource_id=resource_id, aci={"secrets": secrets})

    good = {"imageRegistryCredentials/contoso.azurecr.io/password": "acr-password"}
    aci = declared(kind="aci", resource_id=resource_id, aci={"secrets": good}).aci
    assert aci is not None
    assert aci.secrets == good


@pytest.mark.parametrize("name", ["Weight", "a/../b", "-a", "a b", ""])
def test_the_name_of_a_deployment_is_one_of_kubernetes(name: str) -> None:
    with pytest.raises(ValidationError):
        Aks(deployment=name)
