"""Redeploys over HTTP and the queue: begun, refused where nobody can move a service, aborted too late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.scoring_file import a_file, put_file
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost
from tests.support.redeploy_proofs import ended
from tests.support.story import of_type

PATIENCE_SECONDS = 60
RESTART = {"restart": True, "reason": "it hangs"}


@pytest.fixture
def name() -> str:
    return f"weight-{uuid4().hex[:8]}"


@pytest.fixture
def host(
    emulator: EmulatorProcess,
    azurite: Azurite,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalHost]:
    own = tmp_path_factory.mktemp("redeploying") / "own.env"
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, a_file("http://127.0.0.1:1", name)),
        "SCORING_DISCOVERY": "none",
    }
    write_env_file(own, settings)
    with LocalHost(env_files=[emulator.env_file, own]) as running:
        yield running


def test_a_service_that_nobody_can_move_is_refused_and_told(
    host: LocalHost, name: str, emulator: EmulatorProcess
) -> None:
    path = f"/api/scoring/services/{name}"

    begun = host.post(f"{path}/redeploy", body=RESTART)
    end = ended(host, begun.headers["location"])
    listed = host.get(f"{path}/redeploys").json()
    late = host.post(f"{begun.headers['location']}/abort")

    assert (begun.status, begun.json()["state"]) == (202, "queued")
    assert end["state"] == "refused"
    assert "kind http" in end["text"]
    assert [each["redeploy_id"] for each in listed["redeploys"]] == [end["redeploy_id"]]
    assert late.status == 409
    assert told(emulator, end["redeploy_id"]) == ["refused"]


def told(emulator: EmulatorProcess, redeploy_id: str) -> list[str]:
    """Wait for how the redeploy's end was told."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        events = [each["data"]["baseData"] for each in of_type("EventData", emulator.telemetry())]
        ends = [
            each["properties"]["state"]
            for each in events
            if each["name"] == "scoring.redeploy.finished"
            and each["properties"]["redeploy_id"] == redeploy_id
        ]
        if ends:
            return ends
        time.sleep(0.2)
    return []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "it hangs"}, "body"),
        ({"image": "no tag", "reason": "x"}, "image"),
        ({**RESTART, "stages": ["nobody"]}, "stages[0]"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(
    host: LocalHost, name: str, body: dict[str, Any], field: str
) -> None:
    answer = host.post(f"/api/scoring/services/{name}/redeploy", body=body)

    assert (answer.status, answer.json()["field"]) == (400, field)


def test_who_is_not_there_is_not_redeployed_nor_shown(host: LocalHost) -> None:
    nobody = host.post("/api/scoring/services/nobody/redeploy", body=RESTART)
    nothing = host.get(f"/api/scoring/redeploys/{uuid4()}")

    assert (nobody.status, nothing.status) == (404, 404)


def test_the_timer_that_cares_for_redeploys_has_nothing_to_do(host: LocalHost) -> None:
    assert host.fire_timer("redeploy_timer")["status"] == "succeeded"
