"""Importing the app loads no SDK, and a whole shutdown never loads azureml."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end.conftest import SPEED
from tests.end_to_end.observed import states
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import REPOSITORY

IMPORT = "import function_app"
RUN = """
import asyncio
from types import SimpleNamespace
from shared import bootstrap
tick = SimpleNamespace(
    function_name="shutdown_timer", trace_context=SimpleNamespace(trace_parent=None)
)
asyncio.run(bootstrap.shut_down_on_schedule(tick, past_due=False, schedule_status=None))
"""
HEAVY = (
    "aiohttp",
    "azure.core",
    "azure.identity",
    "azure.keyvault",
    "azure.monitor",
    "azureml",
    "cryptography",
    "msal",
    "opentelemetry",
    "pydantic",
    "requests",
)


@pytest.mark.parametrize("package", HEAVY)
def test_importing_the_app_with_an_empty_environment_does_not_load(
    imported: frozenset[str], package: str
) -> None:
    assert not loaded(imported, package)


def test_importing_the_app_loads_its_triggers_and_nothing_of_the_domain(
    imported: frozenset[str],
) -> None:
    assert {"function_app", "shutdown_timer", "shutdown_http", "shared.bootstrap"} <= imported
    assert {name for name in imported if name.startswith("shared.")} == {"shared.bootstrap"}


def test_a_whole_shutdown_never_loads_azureml(emulator: EmulatorProcess, tmp_path: Path) -> None:
    modules = modules_after(RUN, folder=tmp_path, settings={**emulator.env, **SPEED})

    assert states(emulator)["ci-ada"] == "Stopped"
    assert loaded(modules, "azure.identity")
    assert loaded(modules, "azure.monitor")
    assert not loaded(modules, "azureml")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    return modules_after(IMPORT, folder=tmp_path_factory.mktemp("home"), settings={})


def modules_after(code: str, *, folder: Path, settings: Mapping[str, str]) -> frozenset[str]:
    """Run code in a fresh process at the app's root and return the modules it has loaded."""
    report = folder / "modules.json"
    ending = f"import json, sys; json.dump(sorted(sys.modules), open({str(report)!r}, 'w'))"
    subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **settings},
        check=True,
        timeout=60,
        capture_output=True,
    )
    return frozenset(json.loads(report.read_text(encoding="utf-8")))


def loaded(modules: frozenset[str], package: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for name in modules)
