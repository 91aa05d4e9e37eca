"""The emulator's README keeps up with the emulator."""

import re
import subprocess
import sys

import pytest
from pydantic import BaseModel

from azure_emulator.arm.routes import ROUTES
from azure_emulator.arm.routing import ArmRoute
from azure_emulator.compute_seed import Behaviour, ComputeSeed
from azure_emulator.container_group_seed import ContainerGroupBehaviour, ContainerGroupSeed
from azure_emulator.faults import Effect
from azure_emulator.kubernetes_seed import ImageSeed, ManagedClusterSeed
from azure_emulator.model_management import ROUTES as MODEL_MANAGEMENT
from azure_emulator.model_management.environments import ROUTES as ENVIRONMENTS
from azure_emulator.scoring_seed import (
    AnswerSeed,
    AssetSeed,
    OnlineDeploymentSeed,
    OnlineEndpointSeed,
    ScoringBehaviour,
    WebServiceSeed,
)
from azure_emulator.seed import FOLDER
from tests.support.emulator import REPOSITORY

README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "entry",
    [*ROUTES, *MODEL_MANAGEMENT, *ENVIRONMENTS],
    ids=lambda entry: "/".join(entry.template[-3:]),
)
def test_the_support_table_has_every_route_with_its_action(entry: ArmRoute) -> None:
    row = f"| {entry.method} | `/{'/'.join(entry.template)}` | `{entry.action}` |"

    assert row in README


def test_every_option_of_the_command_line_is_explained() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "azure_emulator", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}

    assert len(options) == 10
    assert not [option for option in options if f"| `{option}` |" not in README]


def test_every_behaviour_and_effect_is_explained() -> None:
    behaviours = [f"| `{name}` |" for name in Behaviour.model_fields]
    effects = [f'"{name}":' for name in Effect.model_fields]

    assert not [text for text in (*behaviours, *effects) if text not in README]


def test_all_that_a_seed_may_say_of_a_compute_is_explained() -> None:
    named = [f"| `{name}` |" for name in ComputeSeed.model_fields]

    assert not [text for text in named if text not in README]


@pytest.mark.parametrize(
    "model",
    [
        *(
            OnlineEndpointSeed,
            OnlineDeploymentSeed,
            WebServiceSeed,
            AnswerSeed,
            ScoringBehaviour,
            AssetSeed,
        ),
        *(ManagedClusterSeed, ImageSeed, ContainerGroupSeed, ContainerGroupBehaviour),
    ],
    ids=lambda model: model.__name__,
)
def test_all_that_a_seed_may_say_of_scoring_is_explained(model: type[BaseModel]) -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    words = set(re.findall(r"[a-z_]+", " ".join(rows)))

    assert model.model_fields.keys() <= words
