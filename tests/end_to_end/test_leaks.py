"""The search for secrets finds a planted leak wherever an app can leak one."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local_host.azurite.process import Azurite
from tests.end_to_end.leaks import Evidence, leaks, stored
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

CANARY = 'canary/~"7f3c5d1e9b20"'
LEAKY_APP = """
import logging, os
import azure.functions as func
app = func.FunctionApp()
canary = os.environ["CANARY"]
@app.route("prints")
def prints(req): print("using", canary + "prints"); return "done"
@app.route("logs")
def logs(req): logging.getLogger("app").warning("using %s", canary + "logs"); return "done"
@app.route("answers")
def answers(req): return f"using {canary}answers"
@app.route("adds_a_header")
def adds_a_header(req): return func.HttpResponse(headers={"x-used": canary + "adds_a_header"})
@app.route("raises")
def raises(req): raise ValueError(canary + "raises")
@app.route("raises_from")
def raises_from(req):
    try: raise ValueError(canary + "raises_from")
    except ValueError as error: raise RuntimeError("broken") from error
@app.timer_trigger("timer", "0 0 0 29 2 *")
def fails(timer): raise ValueError(canary + "fails")
"""
PLACES = {
    "prints": {"stdout"},
    "logs": {"stderr"},
    "answers": {"answer: answers"},
    "adds_a_header": {"answer: adds_a_header"},
    "raises": {"stderr"},
    "raises_from": {"stderr"},
}


@pytest.fixture(scope="module")
def leaky_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """Each of its functions leaks the canary with the function's own name behind it."""
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    (folder / "function_app.py").write_text(LEAKY_APP, encoding="utf-8")
    with LocalHost(app_root=folder, env={"CANARY": CANARY}) as running:
        yield running


@pytest.mark.parametrize(("function", "places"), PLACES.items(), ids=PLACES.keys())
def test_a_leak_is_found_where_a_function(
    leaky_host: LocalHost, function: str, places: set[str]
) -> None:
    evidence = Evidence(host=leaky_host)
    evidence.answer(function, leaky_host.get(f"/api/{function}"))

    found = leaks(evidence.texts(), {"secret": f"{CANARY}{function}"})

    assert set(found) == {f"secret in {place}" for place in places}


def test_a_leak_is_found_in_the_status_of_an_invocation(leaky_host: LocalHost) -> None:
    evidence = Evidence(host=leaky_host)
    evidence.document("invocation", leaky_host.fire_timer("fails"))

    assert "secret in invocation" in leaks(evidence.texts(), {"secret": f"{CANARY}fails"})


def test_a_leak_is_found_in_telemetry(emulator: EmulatorProcess, host: LocalHost) -> None:
    evidence = Evidence(host=host)

    answer = host.post("/api/compute/shutdown", body={"dry_run": True, "reason": CANARY})
    evidence.answer("shutdown", answer)
    evidence.document("telemetry", emulator.telemetry())

    assert answer.status == 200
    assert set(leaks(evidence.texts(), {"secret": CANARY})) == {
        "secret in answer: shutdown",
        "secret in telemetry",
    }


def test_a_leak_is_found_in_a_table_and_in_a_queue(azurite: Azurite) -> None:
    name = f"leak{uuid4().hex}"
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        entity = {"PartitionKey": "run", "RowKey": "1", "detail": f"using {CANARY}"}
        tables.create_table(name).create_entity(entity)
    with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
        queues.create_queue(name).send_message(f"using {CANARY}")

    found = {place: str(held) for place, held in stored(azurite.connection_string).items()}

    assert set(leaks(found, {"secret": CANARY})) == {
        f"secret in table {name}",
        f"secret in queue {name}",
    }


SPELLINGS = {
    "in a URL": quote(CANARY, safe=""),
    "in JSON": json.dumps({"value": CANARY}),
    "in base64": base64.b64encode(f"id:{CANARY}".encode()).decode(),
    "in base64, one byte later": base64.b64encode(f"id1:{CANARY}".encode()).decode(),
    "in base64, two bytes later": base64.b64encode(f"id12:{CANARY}".encode()).decode(),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_leak_is_found(text: str) -> None:
    assert leaks({"log": f"sent {text} away"}, {"secret": CANARY}) == ["secret in log"]


def test_a_clean_text_is_clean() -> None:
    assert leaks({"log": "canary/ and 7f3c"}, {"secret": CANARY}) == []


def test_a_canary_that_would_be_found_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="too short to be searched for: pin"):
        leaks({}, {"pin": "1234"})
