"""Runs `python -m local_host` as a process, for tests that use an app from the outside."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.support.process_under_test import ProcessUnderTest
from tests.support.wire import Reply

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTION_KEY = "test-function-key"
MASTER_KEY = "test-master-key"
POLL_SECONDS = 0.02

T = TypeVar("T")


class LocalHostError(Exception):
    """What was waited for did not come in time, or the host refused it."""


@dataclass(kw_only=True)
class LocalHost(ProcessUnderTest):
    """A running local host, as a context manager.

    `app_root` holds function_app.py and host.json. `env` is its whole environment beside PATH and
    an empty HOME; `env_files` override it, as on a command line. `options` go to the command line.
    Keys: FUNCTION_KEY, MASTER_KEY.
    """

    app_root: Path = REPOSITORY
    env_files: Sequence[Path] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    start_seconds: float = 30.0
    python: str = sys.executable
    url: str = field(init=False)
    _prefix = "local-host-"

    @property
    def stdout(self) -> str:
        return self._read("stdout")

    @property
    def stderr(self) -> str:
        """The logs of host and app."""
        return self._read("stderr")

    def get(self, path: str, **options: Any) -> Reply:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Reply:
        return self.request("POST", path, **options)

    def request(  # noqa: PLR0913  # what an HTTP request is made of
        self,
        method: str,
        path: str,
        *,
        key: str | None = FUNCTION_KEY,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | Mapping[str, Any] | None = None,
        seconds: float = 60.0,
    ) -> Reply:
        """Send a request with the function key (None: without any); a mapping is sent as JSON."""
        sent = dict(headers or {}) | ({"x-functions-key": key} if key is not None else {})
        if isinstance(body, Mapping):
            sent.setdefault("content-type", "application/json")
            body = json.dumps(body)
        content = body.encode() if isinstance(body, str) else body
        return self._exchange(method, path, headers=sent, body=content, seconds=seconds)

    def functions(self) -> dict[str, Any]:
        """Return what `GET /admin/functions` lists, by name."""
        listed = self.get("/admin/functions", key=MASTER_KEY).json()
        return {function["name"]: function for function in listed}

    def start_function(self, name: str, text: str = "") -> str:
        """Start an invocation by hand and return its id."""
        answer = self.post(f"/admin/functions/{name}", key=MASTER_KEY, body={"input": text})
        if answer.status != http.HTTPStatus.ACCEPTED:
            raise LocalHostError(f"starting {name} was answered {answer.status}")
        return answer.headers["x-ms-invocation-id"]

    def fire_timer(
        self, name: str, *, past_due: bool = False, seconds: float = 60.0
    ) -> dict[str, Any]:
        """Fire a timer, wait for its end and return the status `/_local/invocations` gives."""
        text = json.dumps({"IsPastDue": True}) if past_due else ""
        return self.wait_for(self.start_function(name, text), seconds=seconds)

    def wait_for(self, invocation_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Return the status of an invocation once it has ended."""

        def ended() -> dict[str, Any] | None:
            status = self.invocation(invocation_id)
            return None if status["status"] == "running" else status

        return poll(ended, seconds=seconds, what=f"the end of invocation {invocation_id}")

    def invocation(self, invocation_id: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get(f"/_local/invocations/{invocation_id}", key=None).json()
        return status

    def _start(self) -> subprocess.Popen[bytes]:
        files = [option for path in self.env_files for option in ("--env-file", str(path))]
        folder = self.folder
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            return subprocess.Popen(
                [self.python, "-m", "local_host", "--port", "0", *files, *self.options],
                cwd=self.app_root,
                env=self._environment(home=folder),
                stdout=stdout,
                stderr=stderr,
            )

    def _environment(self, *, home: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(REPOSITORY),
            "LOCAL_HOST_FUNCTION_KEY": FUNCTION_KEY,
            "LOCAL_HOST_MASTER_KEY": MASTER_KEY,
            **self.env,
        }

    def _await_readiness(self) -> None:
        self.url = poll(self._listening, seconds=self.start_seconds, what="the local host")

    def _listening(self) -> str | None:
        self._require_running(output=self.stderr)
        lines = self.stdout.splitlines()
        marked = [line for line in lines if line.startswith("listening on ")]
        return marked[0].removeprefix("listening on ") if marked else None

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
    ) -> Reply:
        # http.client uses no proxy, whatever the environment says.
        address = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(status=response.status, headers=names, body=response.read())
        finally:
            connection.close()


def poll(look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Look until there is something, for at most so many seconds. Raises LocalHostError."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise LocalHostError(f"waited {seconds} s for {what}")
        time.sleep(POLL_SECONDS)
    return found
