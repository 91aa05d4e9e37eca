"""Services that repeat their key in whatever they answer: nothing that leaves the app shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.leaks import Evidence, leaks, stored
from tests.end_to_end.scoring_file import put_file
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

KEY = "Zm9vYmFy/Q+canary7f3c5d1e9b20ab=="
CONTENT = "a canary in the body of a golden request"
ANSWERS: dict[str, Callable[[str], tuple[int, str]]] = {
    "as-a-value": lambda sent: (200, json.dumps({"response": sent})),
    "as-escapes": lambda sent: (200, f'{{"response": "{_escaped(sent)}"}}'),
    "in-json-in-json": lambda sent: (200, json.dumps({"response": json.dumps({"a": sent})})),
    "as-an-error": lambda sent: (200, json.dumps({"error": f"bad key {sent}"})),
    "as-a-refusal": lambda sent: (401, sent),
    "by-a-front-end": lambda sent: (503, f"No ready replicas for {sent}"),
}


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


@contextmanager
def echo_server() -> Iterator[str]:
    """Serve each of ANSWERS below a path of its name, until the block is left; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.headers["Authorization"]
            status, said = ANSWERS[self.path.split("/")[1]](sent)
            self.send_response(status, f"reason {sent}")
            self.send_header("X-Sent", sent)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_service(name: str, url: str) -> dict[str, Any]:
    golden = {
        "name": "height 138",
        "method": "POST",
        "path": "/weight",
        "body": {"who": CONTENT},
        "expect": [{"at": "$.response", "equals": 161.8533}],
    }
    return {
        "name": name,
        "kind": "http",
        "url": f"{url}/{name}",
        "checks": {"golden": [golden]},
        "credential": {"secret": "weight-key"},
    }


@pytest.fixture
def host(emulator: EmulatorProcess, start_host: StartHost, azurite: Azurite) -> Iterator[LocalHost]:
    held = {"value": KEY, "id": f"{emulator.url}/secrets/weight-key/1", "attributes": {}}
    emulator.fault("^/secrets/weight-key", times=None, status=200, body=held)
    with echo_server() as url:
        services = [a_service(name, url) for name in ANSWERS]
        yield start_host(
            emulator,
            AzureWebJobsStorage=azurite.connection_string,
            SCORING_SERVICES=put_file(azurite, {"version": 1, "services": services}),
            SCORING_DISCOVERY="none",
        )


def test_no_answer_log_record_table_or_page_shows_a_key_that_services_repeat(
    host: LocalHost, emulator: EmulatorProcess, azurite: Azurite
) -> None:
    evidence = Evidence(host=host)

    evidence.document("tick", host.fire_timer("scoring_timer", seconds=90))
    listed = host.get("/api/scoring/services")
    evidence.answer("list", listed)
    for name in ANSWERS:
        path = f"/api/scoring/services/{name}"
        evidence.answer(name, host.get(path))
        evidence.answer(f"{name}, badge", host.get(f"{path}/badge.svg"))
        evidence.answer(f"{name}, check", host.post(f"{path}/check"))
        junit = host.post(f"{path}/check", headers={"Accept": "application/xml"})
        evidence.answer(f"{name}, JUnit", junit)
    evidence.answer("summary", host.get("/api/dashboard/summary"))
    evidence.document("telemetry", emulator.telemetry())
    for place, held in stored(azurite.connection_string).items():
        evidence.document(place, held)

    texts = [each["text"] for each in listed.json()["services"]]
    assert sum("<key>" in each for each in texts) >= 3
    assert {each["state"] for each in listed.json()["services"]} == {"unhealthy"}
    assert leaks(evidence.texts(), {"key": KEY, "content": CONTENT}) == []
