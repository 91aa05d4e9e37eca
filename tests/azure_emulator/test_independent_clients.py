"""Unmodified SDKs, each in a process of its own that knows nothing but the emulator's env file.

What they report is compared with the emulator's own truth, `/_emulator/state`.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.azure_emulator.conftest import Replying
from tests.support.emulator import REPOSITORY, EmulatorProcess

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


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a client found at an emulator, and the emulator's own state before and after."""

    found: Any
    target: str
    before: dict[str, Any]
    after: dict[str, Any]

    def states(self) -> dict[str, str | None]:
        return {compute["id"]: compute["state"] for compute in self.before["computes"]}

    def workspaces(self, *, below: str = "/") -> list[str]:
        ids = [workspace["id"] for workspace in self.before["workspaces"]]
        return sorted(found for found in ids if found.startswith(below))

    def computes_of(self, workspace_id: str) -> list[str]:
        return sorted(found for found in self.states() if found.startswith(f"{workspace_id}/"))

    def target_afterwards(self) -> dict[str, Any]:
        return next(c for c in self.after["computes"] if c["id"] == self.target)


def visit(client: str, *stages: tuple[EmulatorProcess, str], home: Path) -> list[Visit]:
    """Let a client run at each emulator, with an ARM id; other hosts are behind no proxy."""
    before = [emulator.state() for emulator, _ in stages]
    found = run_client(client, *stages, home=home)
    return [
        Visit(found=result, target=target, before=state, after=emulator.state())
        for result, state, (emulator, target) in zip(found, before, stages, strict=True)
    ]


def run_client(client: str, *stages: tuple[EmulatorProcess, str], home: Path) -> list[Any]:
    """Run a client for all stages at once and return what each printed."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        **stages[0][0].env,
    }
    wanted = [
        {"env": {**emulator.env, "HOME": stage_home(home, number)}, "argument": argument}
        for number, (emulator, argument) in enumerate(stages)
    ]
    run = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.{client}", json.dumps(wanted)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: list[Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def stage_home(home: Path, number: int) -> str:
    folder = home / str(number)
    folder.mkdir()
    return str(folder)


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


def first_of(emulator: EmulatorProcess, *, kind: str, state: str | None) -> str:
    found: str = next(
        compute["id"]
        for compute in emulator.state()["computes"]
        if (compute["computeType"], compute["state"]) == (kind, state)
    )
    return found


def default_estate(emulator: EmulatorProcess) -> tuple[EmulatorProcess, str]:
    """Bring back the default seed and choose the machine to stop."""
    emulator.reset()
    return emulator, first_of(emulator, kind="ComputeInstance", state="Running")


def estate_of_everything(emulator: EmulatorProcess) -> tuple[EmulatorProcess, str]:
    emulator.seed(one_of_everything())
    return emulator, emulator.computes()["ci-running"]["id"]


@pytest.fixture(scope="module")
def azureml_core(replying: Replying, tmp_path_factory: pytest.TempPathFactory) -> list[Visit]:
    """azureml-core at the default estate, and at one with everything."""
    return visit(
        "azureml_core",
        default_estate(replying("recorded")),
        estate_of_everything(replying("both")),
        home=tmp_path_factory.mktemp("azureml_core"),
    )


@pytest.fixture(scope="module")
def azure_ai_ml(replying: Replying, tmp_path_factory: pytest.TempPathFactory) -> list[Visit]:
    """azure-ai-ml where stops are accepted as recorded, as specified, and both ways."""
    return visit(
        "azure_ai_ml",
        default_estate(replying("recorded")),
        default_estate(replying("spec")),
        estate_of_everything(replying("both")),
        home=tmp_path_factory.mktemp("azure_ai_ml"),
    )


def test_azureml_core_lists_everything_and_stops_a_machine(azureml_core: list[Visit]) -> None:
    default, _ = azureml_core

    found = default.found

    assert found["workspaces"] == default.workspaces()
    assert set(found["group"]) < set(found["workspaces"])
    assert found["computes"][default.target] == "Running"
    assert found["computes"].keys() == default.states().keys()
    assert set(found["audiences"]) <= AUDIENCES
    assert found["stopped"] == default.target_afterwards()["state"] == "Stopped"
    assert default.target_afterwards()["stop_requests"] == 1


def test_azureml_core_can_read_every_type_and_state(azureml_core: list[Visit]) -> None:
    _, everything = azureml_core

    assert everything.found["computes"] == everything.states()


def test_azure_ai_ml_can_read_every_type_and_state(azure_ai_ml: list[Visit]) -> None:
    *_, everything = azure_ai_ml

    assert everything.found["computes"] == everything.states()


@pytest.mark.parametrize("stage", range(3), ids=["recorded", "spec", "both"])
def test_azure_ai_mls_pollers_follow_every_way_of_accepting_a_stop(
    azure_ai_ml: list[Visit], stage: int
) -> None:
    found = azure_ai_ml[stage]

    assert (found.found["stopped"], found.found["started"]) == ("Stopped", "Running")
    states = [entry["state"] for entry in found.target_afterwards()["history"]]
    assert states == ["Running", "Stopping", "Stopped", "Starting", "Running"]


def test_azure_ai_ml_finds_what_is_in_its_workspace_and_group(azure_ai_ml: list[Visit]) -> None:
    default = azure_ai_ml[0]
    workspace_id = default.target.partition("/computes/")[0]
    group_id = workspace_id.partition("/providers/")[0]

    assert default.found["workspace"] == workspace_id
    assert default.found["workspaces"] == default.workspaces(below=f"{group_id}/")
    assert sorted(default.found["computes"]) == default.computes_of(workspace_id)
    assert "STANDARD_DS3_V2" in {size.upper() for size in default.found["sizes"]}


def test_the_management_client_of_2020_lists_everything_scales_a_cluster_and_stops_a_machine(
    replying: Replying, tmp_path: Path
) -> None:
    stages = [
        (emulator, first_of(emulator, kind="AmlCompute", state=None))
        for emulator, _ in (default_estate(replying(style)) for style in ("recorded", "spec"))
    ]

    for seen in visit("mgmt_machinelearningservices", *stages, home=tmp_path):
        workspace_id = seen.target.partition("/computes/")[0]
        subscription_id = seen.target.partition("/resourceGroups/")[0]
        assert seen.found["workspaces"] == seen.workspaces(below=f"{subscription_id}/")
        assert seen.found["computes"] == seen.computes_of(workspace_id)
        assert (seen.found["compute"], seen.found["scaled"]) == (seen.target, 3)
        requests = {c["id"]: c["stop_requests"] for c in seen.after["computes"]}
        assert {found for found, count in requests.items() if count} == {seen.found["stopped"]}


@pytest.mark.parametrize("kind", ["secret", "certificate_pem", "certificate_pkcs12"])
def test_identity_and_key_vault_sign_in_with_what_the_vault_holds(
    emulator: EmulatorProcess, tmp_path: Path, kind: str
) -> None:
    if kind != "secret":
        emulator.wire.send_json("POST", "/_emulator/service-principal/rotate", {"credential": kind})
    document = emulator.wire.send_json("GET", "/_emulator/entra").json()

    (found,) = run_client("identity_and_key_vault", (emulator, kind), home=tmp_path)

    object_id = document["applications"][0]["object_id"]
    assert found["sync"] == found["async"] == object_id
    assert {"aml-ops-tenant-id", "aml-ops-client-id"} <= set(found["secrets"])
