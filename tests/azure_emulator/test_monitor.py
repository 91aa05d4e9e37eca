"""Application Insights ingestion: by hand, and by Microsoft's distro under a network guard."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.wire import Emulator, Reply, wire_to

DISTRO = Path(__file__).parent / "independent_clients" / "monitor_distro.py"


def item(message: str) -> dict[str, Any]:
    return {
        "name": "Microsoft.ApplicationInsights.Message",
        "time": "2026-01-02T03:04:05.678Z",
        "iKey": "6f1d2a80-93c4-4b7e-a5d8-0c3e7b914f26",
        "data": {"baseType": "MessageData", "baseData": {"ver": 2, "message": message}},
    }


def track(emulator: Emulator, body: bytes, *, path: str = "/v2.1/track") -> Reply:
    return wire_to(emulator).send("POST", path, body=body)


def messages(emulator: Emulator) -> list[str]:
    reply = wire_to(emulator).get("/_emulator/telemetry")
    return [e["data"]["baseData"]["message"] for e in reply.json()["envelopes"]]


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track", "//v2.1/track"])
def test_a_json_array_is_kept_as_it_came(emulator: Emulator, path: str) -> None:
    reply = track(emulator, json.dumps([item("a"), item("b")]).encode(), path=path)

    stored = wire_to(emulator).get("/_emulator/telemetry").json()["envelopes"]
    assert reply.status == 200
    assert reply.json() == {"itemsReceived": 2, "itemsAccepted": 2, "errors": []}
    assert stored == [item("a"), item("b")]


def test_gzipped_json_lines_are_taken_too(emulator: Emulator) -> None:
    lines = "\n".join(json.dumps(item(name)) for name in "abc")

    reply = track(emulator, gzip.compress(lines.encode()))

    assert reply.json()["itemsAccepted"] == 3
    assert messages(emulator) == ["a", "b", "c"]


def test_a_faulty_item_is_refused_and_its_neighbours_kept(emulator: Emulator) -> None:
    faulty = item("b") | {"iKey": ""}

    reply = track(emulator, json.dumps([item("a"), faulty, item("c")]).encode())

    body = reply.json()
    assert (reply.status, body["itemsReceived"], body["itemsAccepted"]) == (206, 3, 2)
    assert [(e["index"], e["statusCode"]) for e in body["errors"]] == [(1, 400)]
    assert messages(emulator) == ["a", "c"]


def test_a_key_that_nobody_has_is_refused_and_nothing_is_kept(emulator: Emulator) -> None:
    stranger = item("a") | {"iKey": "00000000-0000-0000-0000-000000000000"}

    reply = track(emulator, json.dumps([stranger]).encode())

    body = reply.json()
    assert (reply.status, body["itemsReceived"], body["itemsAccepted"]) == (400, 1, 0)
    assert [e["message"] for e in body["errors"]] == ["Invalid instrumentation key"]
    assert messages(emulator) == []


def test_a_key_is_the_same_in_capitals(emulator: Emulator) -> None:
    capital = item("a") | {"iKey": item("a")["iKey"].upper()}

    assert track(emulator, json.dumps([capital]).encode()).status == 200


@pytest.mark.parametrize(
    "body",
    [b"not json", b"\x1f\x8bnot gzip", b"[{}]", b"[1]", b"[" * 10**5, "[\u00fc]".encode("latin-1")],
)
def test_nonsense_is_a_bad_request(emulator: Emulator, body: bytes) -> None:
    assert track(emulator, body).status == 400
    assert messages(emulator) == []


@pytest.mark.parametrize("path", ["ping", "post"])
def test_nobody_watches_live_metrics(emulator: Emulator, path: str) -> None:
    reply = wire_to(emulator).send("POST", f"/QuickPulseService.svc/{path}?ikey=x", body=b"[]")

    assert (reply.status, reply.headers["x-ms-qps-subscribed"]) == (200, "false")


def test_a_reset_forgets_telemetry(emulator: Emulator) -> None:
    track(emulator, json.dumps([item("a")]).encode())

    wire_to(emulator).send("POST", "/_emulator/reset")

    assert messages(emulator) == []


def test_the_distro_reaches_the_emulator_and_nothing_else(
    emulator: Emulator, tmp_path: Path
) -> None:
    # By default the distro samples, and drops the only span of so short a run.
    every_span = {"OTEL_TRACES_SAMPLER": "always_on"}
    own_folders = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    environment = dict(emulator.env) | own_folders | every_span

    run = subprocess.run(
        [sys.executable, str(DISTRO)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {"refused": []}
    kinds = {
        envelope["data"]["baseType"]
        for envelope in wire_to(emulator).get("/_emulator/telemetry").json()["envelopes"]
    }
    assert {"MessageData", "EventData", "MetricData", "RemoteDependencyData"} <= kinds
