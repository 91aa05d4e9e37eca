"""The walls between the parts of this repository, and that the check of them sees through holes."""

from pathlib import Path

import pytest

from tests.support.architecture import TRIGGERS, violations

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("shared", "azure_emulator", "local_host", "tests", *TRIGGERS)


def sources() -> list[str]:
    """Every module of the repository, as a path relative to it."""
    found = [path for part in PARTS for path in (ROOT / part).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in [ROOT / "function_app.py", *found])


def test_no_module_reaches_through_a_wall() -> None:
    broken = [
        each for path in sources() for each in violations(path, (ROOT / path).read_text("utf-8"))
    ]

    assert broken == []


def test_the_check_looks_at_every_part() -> None:
    seen = {path.split("/")[0] for path in sources()}

    assert {"function_app.py", "shared", "azure_emulator", "local_host", "tests"} <= seen
    assert len(sources()) > 100


def test_every_folder_of_functions_is_known_to_the_check() -> None:
    folders = {
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if "func.Blueprint()" in path.read_text("utf-8")
    }

    assert folders <= set(TRIGGERS)


def test_no_package_takes_the_name_of_an_sdk() -> None:
    sdks = ("azure", "azureml", "opentelemetry", "aiohttp")
    taken = [name for name in sdks if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()]

    assert taken == []
    assert not list(ROOT.glob("*/function.json"))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("function_app.py", "import shared.compute.shutdown"),
        ("function_app.py", "import logging"),
        ("shutdown_timer/__init__.py", "from shared import settings"),
        ("shutdown_timer/__init__.py", "import json"),
        ("shutdown_timer/__init__.py", "def f():\n    import azure_emulator.emulator"),
        ("shutdown_http/__init__.py", "from local_host import host"),
        ("shutdown_http/__init__.py", "plan = func.Blueprint()\nasync def plan(): ..."),
        ("shared/replies.py", "import azure.functions as func"),
        ("shared/replies.py", "from azure import functions"),
        ("shared/telemetry.py", "from tests.support import telemetry"),
        ("shared/clients/arm.py", "from shared.settings import Settings"),
        ("shared/clients/arm.py", "from shared import bootstrap"),
        ("shared/clients/arm.py", "import os\nos.environ['A']"),
        ("shared/clients/arm.py", "import os\ndef f():\n    return os.getenv('A')"),
        ("shared/clients/arm.py", "from os import environ"),
        ("shared/compute/policy.py", "import os"),
        ("shared/compute/policy.py", "from time import sleep"),
        ("shared/compute/policy.py", "import azure.core"),
        ("shared/compute/policy.py", "def f():\n    from azure.core.exceptions import AzureError"),
        ("shared/compute/policy.py", "if TYPE_CHECKING:\n    from shared.clients.arm import Arm"),
        ("shared/compute/policy.py", "from ..clients import arm"),
        ("shared/compute/policy.py", "from .. import clients"),
        (
            "shared/compute/policy.py",
            "import importlib\nimportlib.import_module('shared.settings')",
        ),
        ("shared/compute/policy.py", "__import__('aiohttp')"),
        ("shared/compute/policy.py", "import shared.scoring.verdict"),
        ("shared/compute/deep/er.py", "from ...scoring import verdict"),
        ("shared/dashboard/summary.py", "from shared.clients.run_history import RunHistoryClient"),
        ("shared/dashboard/summary.py", "from shared.settings import Settings"),
        ("shared/scoring/verdict.py", "from shared.compute.policy import decide"),
        ("shared/bootstrap.py", "from shared.settings import Settings"),
        ("shared/bootstrap.py", "import asyncio"),
        ("azure_emulator/server.py", "from shared.errors import OpsError"),
        ("azure_emulator/server.py", "try:\n    import azure.core\nexcept ImportError:\n    pass"),
        ("azure_emulator/server.py", "import os\nos.environ.get('A')"),
        ("azure_emulator/server.py", "import shutdown_timer"),
        ("local_host/host.py", "from os import getenv"),
        ("tests/test_a.py", "from unittest import mock"),
        ("tests/test_a.py", "from unittest.mock import patch"),
        ("tests/test_a.py", "import mock"),
    ],
)
def test_a_planted_hole_is_found(path: str, source: str) -> None:
    assert violations(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("function_app.py", "import azure.functions as func\nfrom shutdown_timer import blueprint"),
        (
            "shutdown_timer/__init__.py",
            "import azure.functions as func\nfrom shared import bootstrap",
        ),
        ("shutdown_http/__init__.py", "plans = func.Blueprint()\nasync def plan(): ..."),
        ("shared/bootstrap.py", "import os\nos.environ['A']"),
        ("shared/bootstrap.py", "def f():\n    from shared.settings import read_settings"),
        ("shared/bootstrap.py", "if TYPE_CHECKING:\n    from shared.settings import Settings"),
        ("shared/clients/arm.py", "from azure.core import AsyncPipelineClient"),
        ("shared/clients/arm.py", "from shared.compute.instance import Compute"),
        ("shared/compute/policy.py", "from shared.compute.instance import Compute"),
        ("shared/compute/policy.py", "from .instance import Compute"),
        ("shared/compute/policy.py", "import timeit\nimport osmosis"),
        ("shared/settings.py", "from shared.errors import SettingsError"),
        ("local_host/__main__.py", "import os\nos.environ.update({})"),
        ("local_host/host.py", "import azure.functions"),
        ("tests/test_a.py", "import os\nos.environ.copy()"),
    ],
)
def test_what_is_allowed_is_no_hole(path: str, source: str) -> None:
    assert violations(path, source) == []
