"""Unmodified SDKs at scoring services: azure-ai-ml at endpoints (v2), azureml-core at services (v1)."""

from pathlib import Path
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, estate
from tests.azure_emulator.scored import GOLDEN, a_deployment, a_service, an_endpoint, endpoint_path
from tests.azure_emulator.test_independent_clients import run_client
from tests.support.emulator import EmulatorProcess

GREEN = a_deployment("green", model="weight-lm:8", provisioning_state="Updating")
TOKEN = ["access_token", "expiry_time_utc", "refresh_after_time_utc", "token_type"]
SIGN_INS = [("Key", ["primary_key", "secondary_key"]), ("AMLToken", TOKEN)]


@pytest.mark.parametrize(("mode", "shown"), SIGN_INS)
def test_azure_ai_ml_finds_an_endpoint_and_scores_each_of_its_deployments(
    emulator: EmulatorProcess, tmp_path: Path, mode: str, shown: list[str]
) -> None:
    traffic = {"blue": 90, "green": 10}
    both = [a_deployment("blue", model="weight-lm:7"), GREEN]
    wanted = an_endpoint(auth_mode=mode, deployments=both, traffic=traffic)
    more = [an_endpoint(name=f"more-{number}") for number in range(3)]
    emulator.seed(estate(online_endpoints=[wanted, *more]))

    found = one_run("azure_ai_ml_endpoints", emulator, endpoint_path(), home=tmp_path)

    assert found["endpoints"] == ["more-0", "more-1", "more-2", "weight"]
    assert found["endpoint"] == [
        endpoint_path(),
        {"Key": "key"}.get(mode, "aml_token"),
        "Succeeded",
    ]
    assert found["scoring_uri"] == emulator.state()["endpoints"][0]["scoringUri"]
    assert (found["traffic"], found["signs_in_with"]) == (traffic, shown)
    assert found["deployments"] == {"blue": "Succeeded", "green": "Updating"}
    assert "weight-lm" in found["model"]
    assert found["answers"] == [GOLDEN["content"]] * 2


def test_azure_ai_ml_rolls_out_green_after_a_version_that_fails(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    blue = a_deployment("blue", model="weight-lm:4", environment="r-plumber:2")
    assets = [
        {"name": "weight-lm:5", "answers": [GOLDEN], "logs": "one\n"},
        {"name": "weight-lm:7", "provisioning": "fails"},
    ]
    wanted = an_endpoint(deployments=[blue], tags={"team": "growth"})
    emulator.seed(estate(online_endpoints=[wanted], assets=assets))

    found = one_run("azure_ai_ml_blue_green", emulator, endpoint_path(), home=tmp_path)

    assert found["made"] == {"7": ["ResourceNotReady", "Failed"], "5": ["", "Succeeded"]}
    assert (found["by_name"], found["logs"]) == (GOLDEN["content"], "one\n")
    assert found["traffic"] == [{"blue": 90, "green": 10}, {"green": 100}]
    (endpoint,) = emulator.state()["endpoints"]
    assert found["left"] == [each["name"] for each in endpoint["deployments"]] == ["green"]
    assert (endpoint["traffic"], endpoint["tags"]) == ({"green": 100}, {"team": "growth"})


def test_azureml_core_finds_runs_and_reads_every_kind_of_service(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    seeds = [
        a_service(name="aci-key", image="weight:4", tags={"team": "growth"}, logs="one\ntwo\n"),
        a_service(name="aci-open", auth_enabled=False, state="Unhealthy"),
        a_service(name="aks-key", compute_type="AKS"),
        a_service(
            name="aks-token", compute_type="AKS", auth_enabled=False, token_auth_enabled=True
        ),
    ]
    emulator.seed(estate(services=seeds))

    found = one_run("azureml_core_services", emulator, WORKSPACE, home=tmp_path)

    services = found["services"]
    uris = {s["id"].rpartition("/")[2]: s["scoringUri"] for s in emulator.state()["services"]}
    assert {name: service["scoring_uri"] for name, service in services.items()} == uris
    assert [service["kind"] for service in services.values()] == ["AciWebservice"] * 2 + [
        "AksWebservice"
    ] * 2
    assert [service["answer"] for service in services.values()] == [GOLDEN["content"]] * 4
    kinds = [["keys"], [], ["keys"], ["token"]]
    assert [service["credentials"] for service in services.values()] == kinds
    first = services["aci-key"]
    assert (first["state"], first["image"], first["logs"]) == ("Healthy", "weight:4", "two\n")
    assert (first["tags"], services["aci-open"]["state"]) == ({"team": "growth"}, "Unhealthy")
    assert found["on_aks"] == ["aks-key", "aks-token"]
    assert "WebserviceNotFound" in found["missing"]


def test_azureml_core_updates_services_and_follows_the_operations(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    services = [
        a_service(name="of-image", image="weight:4", tags={"team": "growth"}),
        a_service(name="of-models", compute_type="AKS", models=["weight:4"]),
    ]
    assets = [
        {"name": "weight:5", "answers": [GOLDEN]},
        {"name": "weight:7", "provisioning": "fails"},
    ]
    emulator.seed(estate(services=services, assets=assets))

    found = one_run("azureml_core_updates", emulator, WORKSPACE, home=tmp_path)

    ends = {name: each["ended"] for name, each in found.items() if name != "environment"}
    assert ends == {
        "property": "Succeeded",
        "image": "Succeeded",
        "failing": "WebserviceException",
        "models": "Succeeded",
    }
    image = found["image"]
    assert (image["image"], image["tags"]) == ("weight:5", {"team": "risk"})
    # In a git repository the SDK adds where it was called from.
    assert (found["property"]["image"], image["properties"]["redeploy_id"]) == ("weight:4", "r-1")
    assert (found["failing"]["state"], found["environment"]) == ("Failed", "r-scoring")


def one_run(client: str, emulator: EmulatorProcess, argument: str, *, home: Path) -> Any:
    (found,) = run_client(client, (emulator, argument), home=home)
    return found
