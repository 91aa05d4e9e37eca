"""Unmodified SDKs, each in a process of its own that knows nothing but the emulator's env file.

What they report is compared with the emulator's own truth, `/_emulator/state`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import StartEmulator
from tests.support.emulator import FAST, REPOSITORY, EmulatorProcess

PACKAGE = "tests.azure_emulator.independent_clients"
TIMEOUT_SECONDS = 120
STATES = (
    *("Creating", "CreateFailed", "Deleting", "Running", "Restarting", "Resizing", "JobRunning"),
    *("SettingUp", "SetupFailed", "Starting", "Stopped", "Stopping", "UserSettingUp"),
    *("UserSetupFailed", "Unknown", "Unusable", None),
)
OTHER_TYPES = (
    *("AKS", "AmlCompute", "DataFactory", "DataLakeAnalytics", "Databricks", "HDInsight"),
    *("Kubernetes", "SynapseSpark", "VirtualMachine"),
)
AUDIENCES = {"https://management.core.windows.net/", "https://management.azure.com/"}


def run_client(name: str, argument: str, *, emulator: EmulatorProcess, home: Path) -> Any:
    """Run a client and return what it printed; other hosts are cut off by a proxy to nowhere."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        **emulator.env,
    }
    run = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.{name}", argument],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def one_of_everything() -> dict[str, Any]:
    """Make a seed of a workspace with every state and every type, one owner without a name."""
    instances = [
        {
            "name": f"ci-{str(state).lower()}",
            "state": state,
            "owner": {"name": "Ada Lovelace"},
            "behaviour": {"never_settles": True},
        }
        for state in STATES
    ]
    nameless = {"name": "ci-nameless", "owner": {"object_id": str(uuid4())}}
    others = [{"name": f"of-{name.lower()}", "compute_type": name} for name in OTHER_TYPES]
    computes = [*instances, nameless, *others]
    workspace = {"name": "mlw-everything", "computes": computes}
    return {"subscriptions": [{"id": str(uuid4()), "workspaces": [workspace]}]}


def a_running_instance(emulator: EmulatorProcess) -> dict[str, Any]:
    return next(
        compute
        for compute in emulator.state()["computes"]
        if compute["computeType"] == "ComputeInstance" and compute["state"] == "Running"
    )


def state_of(emulator: EmulatorProcess, compute_id: str) -> dict[str, Any]:
    return next(c for c in emulator.state()["computes"] if c["id"] == compute_id)


def workspace_ids(emulator: EmulatorProcess, *, subscription: str = "") -> list[str]:
    ids = [workspace["id"] for workspace in emulator.state()["workspaces"]]
    return sorted(found for found in ids if found.startswith(f"/subscriptions/{subscription}"))


def computes_of(emulator: EmulatorProcess, workspace_id: str) -> dict[str, str | None]:
    return {
        compute["id"]: compute["state"]
        for compute in emulator.state()["computes"]
        if compute["id"].startswith(f"{workspace_id}/computes/")
    }


def test_azureml_core_lists_everything_and_stops_a_machine(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    before = {compute["id"]: compute["state"] for compute in emulator.state()["computes"]}
    target = a_running_instance(emulator)["id"]

    found = run_client("azureml_core", target, emulator=emulator, home=tmp_path)

    assert found["workspaces"] == workspace_ids(emulator)
    assert set(found["group"]) < set(found["workspaces"])
    assert found["computes"][target] == "Running"
    assert found["computes"].keys() == before.keys()
    assert set(found["audiences"]) <= AUDIENCES
    assert found["stopped"] == state_of(emulator, target)["state"] == "Stopped"
    assert state_of(emulator, target)["stop_requests"] == 1


@pytest.mark.parametrize("client", ["azureml_core", "azure_ai_ml"])
def test_the_sdks_can_read_every_type_and_state(
    emulator: EmulatorProcess, tmp_path: Path, client: str
) -> None:
    emulator.seed(one_of_everything())
    before = {compute["id"]: compute["state"] for compute in emulator.state()["computes"]}
    target = emulator.computes()["ci-running"]["id"]

    found = run_client(client, target, emulator=emulator, home=tmp_path)

    assert found["computes"] == before


@pytest.mark.parametrize("reply", ["spec", "both"])
def test_azure_ai_mls_poller_follows_either_way_of_accepting_a_stop(
    start_emulator: StartEmulator, tmp_path: Path, reply: str
) -> None:
    emulator = start_emulator(*FAST, "--stop-reply", reply)
    target = a_running_instance(emulator)["id"]

    found = run_client("azure_ai_ml", target, emulator=emulator, home=tmp_path)

    assert (found["stopped"], found["started"]) == ("Stopped", "Running")


def test_azure_ai_ml_stops_and_starts_a_machine_through_its_pollers(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    target = a_running_instance(emulator)["id"]
    workspace_id = target.partition("/computes/")[0]
    group_id = workspace_id.partition("/providers/")[0]

    found = run_client("azure_ai_ml", target, emulator=emulator, home=tmp_path)

    assert found["workspace"] == workspace_id
    assert found["workspaces"] == [
        listed for listed in workspace_ids(emulator) if listed.startswith(f"{group_id}/")
    ]
    assert found["computes"].keys() == computes_of(emulator, workspace_id).keys()
    assert "STANDARD_DS3_V2" in {size.upper() for size in found["sizes"]}
    assert (found["stopped"], found["started"]) == ("Stopped", "Running")
    states = [entry["state"] for entry in state_of(emulator, target)["history"]]
    assert states == ["Running", "Stopping", "Stopped", "Starting", "Running"]


def test_the_management_client_of_2020_lists_workspaces_and_computes(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    target = a_running_instance(emulator)["id"]
    workspace_id = target.partition("/computes/")[0]

    found = run_client("mgmt_machinelearningservices", target, emulator=emulator, home=tmp_path)

    subscription = target.split("/")[2]
    assert found["workspaces"] == workspace_ids(emulator, subscription=subscription)
    assert found["computes"] == sorted(computes_of(emulator, workspace_id))
    assert found["compute"] == target


@pytest.mark.parametrize("kind", ["secret", "certificate_pem", "certificate_pkcs12"])
def test_identity_and_key_vault_sign_in_with_what_the_vault_holds(
    emulator: EmulatorProcess, tmp_path: Path, kind: str
) -> None:
    if kind != "secret":
        emulator.wire.send_json("POST", "/_emulator/service-principal/rotate", {"credential": kind})
    document = emulator.wire.send_json("GET", "/_emulator/entra").json()

    found = run_client("identity_and_key_vault", kind, emulator=emulator, home=tmp_path)

    object_id = document["applications"][0]["object_id"]
    assert found["sync"] == found["async"] == object_id
    assert {"aml-ops-tenant-id", "aml-ops-client-id"} <= set(found["secrets"])
