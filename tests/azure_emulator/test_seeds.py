"""The seeds that come with the emulator, generated fleets, and the published schema."""

import json
import re
from pathlib import Path

import pytest

from azure_emulator import fleet, seed
from azure_emulator.compute_seed import Behaviour, ComputeSeed
from azure_emulator.estate.states import State
from azure_emulator.scoring_seed import ScoringBehaviour
from azure_emulator.seed import Seed

COMPUTE_NAME = re.compile(r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$")


def computes_of(document: Seed) -> list[ComputeSeed]:
    return [
        compute
        for subscription in document.subscriptions
        for workspace in subscription.workspaces
        for compute in workspace.computes
    ]


@pytest.mark.parametrize("name", ["default", "troubled"])
def test_the_names_of_computes_are_ones_azure_allows(name: str) -> None:
    names = [compute.name for compute in computes_of(seed.read(Path(name)))]

    assert not [name for name in names if not COMPUTE_NAME.match(name)]


def test_the_default_night_can_succeed() -> None:
    document = seed.read(Path("default"))
    computes = computes_of(document)

    assert len(document.subscriptions) == 2
    assert len({compute.compute_type for compute in computes}) >= 4
    troubles = {"disk_full", "refuses_stop", "stop_fails", "never_stops", "never_settles"}
    assert not [c.name for c in computes if troubles & c.behaviour.model_fields_set]
    assert sum(c.tags == {"shutdown": "never", "team": "platform"} for c in computes) == 1


def test_troubled_has_every_state_and_every_behaviour() -> None:
    computes = computes_of(seed.read(Path("troubled")))

    states = {c.state for c in computes}
    behaviours = {name for c in computes for name in c.behaviour.model_fields_set}
    assert set(State) - states == {State.STOPPED}
    assert None in states
    assert behaviours == set(Behaviour.model_fields)


def test_troubled_has_every_way_to_sign_in_and_every_trouble_of_scoring() -> None:
    document = seed.read(Path("troubled"))
    workspaces = [each for found in document.subscriptions for each in found.workspaces]
    endpoints = [each for workspace in workspaces for each in workspace.online_endpoints]
    services = [each for workspace in workspaces for each in workspace.services]

    deployments = [each for endpoint in endpoints for each in endpoint.deployments]
    troubles = {name for each in deployments for name in each.behaviour.model_fields_set}
    troubles |= {name for each in services for name in each.behaviour.model_fields_set}
    assert troubles == set(ScoringBehaviour.model_fields)
    assert {endpoint.auth_mode for endpoint in endpoints} == {"Key", "AMLToken", "AADToken"}
    assert {(each.auth_enabled, each.token_auth_enabled) for each in services} == {
        *((True, False), (False, True), (False, False))
    }
    assert len({service.state for service in services}) == 5


def test_a_fleet_has_the_size_asked_for_and_all_of_it_runs() -> None:
    size = fleet.FleetSize(subscriptions=2, workspaces=3, instances=4)

    document = fleet.generate(size)

    computes = computes_of(document)
    assert (len(document.subscriptions), len(computes)) == (2, 24)
    assert {compute.state for compute in computes} == {State.RUNNING}
    assert len({compute.name for compute in computes}) == 24
    assert all(COMPUTE_NAME.match(compute.name) for compute in computes)


def test_the_same_fleet_comes_out_each_time() -> None:
    size = fleet.FleetSize(subscriptions=2, workspaces=2, instances=2)

    assert fleet.generate(size) == fleet.generate(size)


def test_the_published_schema_is_that_of_the_models() -> None:
    published = json.loads((seed.FOLDER / "seed.schema.json").read_text())

    assert published == seed.schema()
