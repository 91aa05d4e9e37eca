"""The app answers what openapi.json says: schemathesis reads it and asks, with a fixed seed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import FUNCTION_KEY, LocalHost

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
# They begin long work: runs over the estate, and a list by SDK v1.
LEFT_OUT = ("shutdown_now", "v1_sunset")


def test_whatever_is_asked_is_answered_as_described_and_never_with_an_error_of_the_app(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost, tmp_path: Path
) -> None:
    host = start_host(
        emulator,
        AzureWebJobsStorage=azurite.connection_string,
        SCORING_DISCOVERY="none",
        SCORING_SERVICES="docs/scoring-services.example.yaml",
    )
    for timer in ("shutdown_timer", "scoring_timer", "redeploy_timer"):
        host.fire_timer(timer)
    (tmp_path / "openapi.json").write_bytes(host.get("/api/openapi.json").body)

    asked = ask(host, tmp_path)

    assert asked.returncode == 0, asked.stdout
    found = re.search(r"(\d+) generated, (\d+) passed", asked.stdout)
    assert found is not None, asked.stdout
    assert found[1] == found[2]
    assert int(found[1]) > 50


def ask(host: LocalHost, folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask every operation a few times, within a bound."""
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", "openapi.json"),
        *("--url", f"{host.url}/api", "-H", f"x-functions-key: {FUNCTION_KEY}"),
        *("--seed", "1", "--max-examples", "4", "--phases", "examples,fuzzing"),
        *("--checks", ",".join(CHECKS), "--no-color"),
        *(part for name in LEFT_OUT for part in ("--exclude-operation-id", name)),
    ]
    # An environment of its own: no proxy, and nothing written outside the folder.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_document_needs_a_key_and_names_functions_that_there_are(
    remembering_host: LocalHost,
) -> None:
    answer = remembering_host.get("/api/openapi.json")

    assert remembering_host.get("/api/openapi.json", key=None).status == 401
    assert answer.status == 200
    host_functions = remembering_host.functions()
    paths = json.loads(answer.body)["paths"]
    named = {each["operationId"] for item in paths.values() for each in item.values()}
    assert {"shutdown_now", "redeploy_post", "health_live"} <= named <= {*host_functions}
