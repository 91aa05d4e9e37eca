"""Runs `python -m local_host` as a process, for tests that use an app from the outside."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTION_KEY = "test-function-key"
MASTER_KEY = "test-master-key"
POLL_SECONDS = 0.02

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class LocalHostError(Exception):
    """The host did not start, did not stop, or an invocation did not end in time."""


@dataclass(kw_only=True)
class LocalHost:
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

    def __enter__(self) -> Self:
        self._output = tempfile.TemporaryDirectory(prefix="local-host-")
        self._process = self._start()
        try:
            self.url = poll(self._listening, seconds=self.start_seconds, what="the local host")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._output.cleanup()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> str:
        return self._read("stdout")

    @property
    def stderr(self) -> str:
        """The logs of host and app."""
        return self._read("stderr")

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM, seconds: float = 15.0) -> int:
        """End the process, if it still runs, and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(seconds)
            raise LocalHostError(f"no exit within {seconds} s of {with_signal.name}") from None

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
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
    ) -> Answer:
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
        folder = Path(self._output.name)
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

    def _listening(self) -> str | None:
        if self._process.poll() is not None:
            raise LocalHostError(f"ended with {self._process.returncode}: {self.stderr}")
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
    ) -> Answer:
        # http.client uses no proxy, whatever the environment says.
        address = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=names, body=response.read())
        finally:
            connection.close()

    def _read(self, stream: str) -> str:
        return (Path(self._output.name) / stream).read_text(encoding="utf-8", errors="replace")


def poll(look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Look until there is something, for at most so many seconds. Raises LocalHostError."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise LocalHostError(f"waited {seconds} s for {what}")
        time.sleep(POLL_SECONDS)
    return found
