"""The unmodified azureml-core at all that a team asks about its v1 services before it migrates."""

from pathlib import Path
from typing import Any

from tests.azure_emulator.conftest import WORKSPACE, estate
from tests.azure_emulator.scored import GOLDEN, a_service
from tests.azure_emulator.test_independent_scoring import one_run
from tests.support.emulator import EmulatorProcess

ACTIONS = ["*/read", "*/action", "*/services/aci/write", "*/services/aci/delete"]
SERVICES = [
    a_service(name="on-aci", image="weight-image:4", tags={"team": "growth"}),
    a_service(
        name="on-aks",
        compute_type="AKS",
        models=["weight:3"],
        tags={"team": "risk"},
        properties={"owner": "ada"},
    ),
]
ASSETS: list[dict[str, Any]] = [
    {"name": "weight:4", "tags": {"team": "growth"}},
    {"name": "renv:1", "image": "contoso.azurecr.io/r:4.2"},
    {"name": "renv:2", "image": "contoso.azurecr.io/r:4.3"},
    {"name": "conda:1", "conda_file": "dependencies: [r-base=4.3.1]"},
]


def test_azureml_core_asks_all_about_models_environments_and_services(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    access = {"service_principal": [{"actions": ACTIONS}]}
    emulator.seed(estate(services=SERVICES, assets=ASSETS) | {"access": access})

    found = one_run("azureml_core_estate", emulator, WORKSPACE, home=tmp_path)

    models = found["models"]
    assert (models["ids"], models["latest"]) == (["weight:4", "weight:3"], ["weight:4"])
    assert models["without_version"] == models["by_version"] == "weight:4"
    assert models["tagged"] == ["weight:4"]
    assert found["environments"] == {
        "versions": {"conda": "1", "r-scoring": "1", "renv": "2"},
        "image": "contoso.azurecr.io/r:4.3",
        "older": "contoso.azurecr.io/r:4.2",
        "packages": ["r-base=4.3.1"],
    }
    assert found["filtered"] == {
        "kind": ["on-aks"],
        "tag": ["on-aci", "on-aks"],
        "tag and value": ["on-aks"],
        "property": ["on-aks"],
        "model": ["on-aks"],
        "model and version": ["on-aks"],
        "image": ["on-aci"],
    }
    service = found["service"]
    assert (service["models"], service["environment"]) == (["weight:3"], "r-scoring")
    assert (service["swagger"], service["serialized"]) == ("swagger.json", "on-aks")
    assert service["status"]["availableReplicas"] == 1
    assert found["keys"] == {"new": [True, True], "chosen": True, "answer": GOLDEN["content"]}
    assert found["deleted"] == {"state": "Deleting", "then": True}
    assert [each["id"].rpartition("/")[2] for each in emulator.state()["services"]] == ["on-aks"]
