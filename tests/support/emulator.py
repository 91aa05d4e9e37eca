"""Runs `python -m azure_emulator` as a process, and speaks to its control plane."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from azure_emulator.entra.directory import SERVICE_PRINCIPAL_OBJECT_ID
from tests.support.env_file import write_env_file
from tests.support.process_under_test import ProcessUnderTest, ProcessUnderTestError
from tests.support.wire import Reply, Wire, vault_secret, wire_to

REPOSITORY = Path(__file__).resolve().parents[2]
FAST = ("--time-scale", "0.02", "--page-size", "3")
ARM_VERSION = "2025-12-01"
# The hosts of tests tick when they are told to: a quarter of an hour may end amid any test.
ONLY_WHEN_FIRED = dict.fromkeys(("SHUTDOWN_SCHEDULE", "SCORING_SCHEDULE"), "0 0 0 29 2 *")


class EmulatorError(Exception):
    """The control plane refused something."""


@dataclass(kw_only=True)
class EmulatorProcess(ProcessUnderTest):
    """A running emulator, as a context manager. `options` are its command line's.

    `env` is its env file as written; in the file itself, the timer's schedule is one of leap years.
    """

    _running: ClassVar[list["EmulatorProcess"]] = []
    _actions: ClassVar[set[str]] = set()
    options: Sequence[str] = FAST
    start_seconds: float = 30.0
    _noted: int = field(init=False, default=0)
    env: Mapping[str, str] = field(init=False, default_factory=dict)
    _prefix = "azure-emulator-"

    @property
    def env_file(self) -> Path:
        return self.folder / "azure.env"

    @property
    def url(self) -> str:
        return self.env["AZURE_EMULATOR_URL"]

    @property
    def ca(self) -> Path:
        return Path(self.env["SSL_CERT_FILE"])

    @property
    def log(self) -> str:
        """What the emulator wrote to stdout and stderr."""
        return self._read("log")

    @property
    def wire(self) -> Wire:
        return wire_to(self)

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM, seconds: float = 15.0) -> int:
        """End it as any program is ended; what it was asked for is kept."""
        if self in self._running:
            self._note_actions()
            self._running.remove(self)
        return super().stop(with_signal=with_signal, seconds=seconds)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._control("GET", "state")
        return found

    def computes(self) -> dict[str, dict[str, Any]]:
        """The state's computes by the last part of their id."""
        return {compute["id"].rpartition("/")[2]: compute for compute in self.state()["computes"]}

    def requests(self, *, after: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", f"requests?after={after}")["requests"]
        return found

    def fault(
        self,
        path_regex: str,
        *,
        method: str | None = None,
        skip: int = 0,
        times: int | None = 1,
        **effect: Any,
    ) -> str:
        """Arm a fault and return its id: `fault("/stop$", method="POST", status=500)`."""
        match = {"path_regex": path_regex} | ({"method": method} if method else {})
        document = {"match": match, "skip": skip, "times": times, "effect": effect}
        fault_id: str = self._control("POST", "faults", document)["id"]
        return fault_id

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self._control("DELETE", "faults")

    def seed(self, document: Mapping[str, Any]) -> None:
        """Put the estate at a seed document; `version` may be left out."""
        self._note_actions()
        self._control("POST", "seed", {"version": 1, **document})

    def reset(self) -> None:
        self._note_actions()
        self._control("POST", "reset")

    def telemetry(self) -> list[dict[str, Any]]:
        """The raw envelopes that were ingested."""
        found: list[dict[str, Any]] = self._control("GET", "telemetry")["envelopes"]
        return found

    def arm_token(self, resource: str = "https://management.azure.com") -> str:
        """An access token of the service principal, from the secret in the vault."""
        wire = self.wire
        form = {
            "grant_type": "client_credentials",
            "client_id": vault_secret(wire, "aml-ops-client-id"),
            "client_secret": vault_secret(wire, "aml-ops-client-secret"),
            "scope": f"{resource}/.default",
        }
        reply = wire.post_form(f"/{self.env['AZURE_TENANT_ID']}/oauth2/v2.0/token", form)
        token: str = reply.json()["access_token"]
        return token

    def arm(self, method: str, path: str, *, token: str, **query: str) -> Reply:
        """Call Resource Manager as anyone would by hand; adds an api-version."""
        parameters = urlencode({"api-version": ARM_VERSION, **query})
        headers = {"Authorization": f"Bearer {token}"}
        return self.wire.send(method, f"{path}?{parameters}", headers=headers)

    @classmethod
    def take_actions(cls) -> frozenset[str]:
        """Return what the service principal asked of all emulators since this was called last."""
        for each in cls._running:
            each._note_actions()
        taken = frozenset(cls._actions)
        cls._actions.clear()
        return taken

    def _note_actions(self) -> None:
        # One that a test has killed answers nobody.
        with suppress(OSError):
            new = self.requests(after=self._noted)
            self._noted = max([self._noted, *(each["seq"] for each in new)])
            self._actions.update(
                each["action"]
                for each in new
                if each["principal"] == SERVICE_PRINCIPAL_OBJECT_ID
                if str(each["action"]).startswith("Microsoft.")
            )

    def _control(self, method: str, path: str, document: Any = None) -> Any:
        reply = self.wire.send_json(method, f"/_emulator/{path}", document)
        if reply.status >= 300:
            raise EmulatorError(f"{method} {path} was answered {reply.status}: {reply.body!r}")
        return reply.json() if reply.body else None

    def _start(self) -> subprocess.Popen[bytes]:
        command = ("-m", "azure_emulator", "--port", "0", "--env-file", str(self.env_file))
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, *command, *self.options],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _await_readiness(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.env_file.exists():
            self._require_running(output=self.log)
            if time.monotonic() > deadline:
                late = f"no env file within {self.start_seconds} s: {self.log}"
                raise ProcessUnderTestError(late)
            time.sleep(0.02)
        shipped = self.env_file.read_text(encoding="utf-8")
        self.env = dict(line.split("=", 1) for line in shipped.splitlines())
        write_env_file(self.env_file, {**self.env, **ONLY_WHEN_FIRED})
        self._running.append(self)
