"""What `az aks command invoke` runs inside a cluster: commands of kubectl.

Nothing is executed: commands are read, and the cluster's own API answers. Source:
Microsoft.ContainerService 2026-08-01, RunCommandRequest and RunCommandResult.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.responses import Response

from azure_emulator.entra import Directory, TokenError
from azure_emulator.kubernetes import kubectl
from azure_emulator.kubernetes.access import SERVER_APPLICATION
from azure_emulator.kubernetes.api import ask
from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.kubectl.session import Session

RUN_SECONDS = 5.0
_NOT_FOUND = 127
_UNAUTHORIZED = "error: You must be logged in to the server (Unauthorized)\n"
Look = Callable[[], kubectl.Outcome]


@dataclass(kw_only=True)
class Command:
    """A command; what it printed shows at `finished_at` (Unix seconds), once it has an exit code."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    look: Look
    logs: str = ""
    exit_code: int | None = None
    started_at: float
    finished_at: float

    def go_on(self, now: float) -> bool:
        """Look again at what is waited for; whether it is over."""
        if self.exit_code is None:
            found = self.look()
            if not self.logs.endswith(found.text):
                self.logs += found.text
            self.exit_code = found.exit_code
            self.finished_at = max(self.finished_at, now)
        return self.exit_code is not None and now >= self.finished_at


def run(cluster: Cluster, command: str, *, token: str, directory: Directory) -> Command:
    """Run a command as whom the token speaks for."""
    clock = cluster.timeline.clock
    begun = Command(
        look=_look(cluster, command, token=token, directory=directory),
        started_at=clock.now(),
        finished_at=clock.in_azure_seconds(RUN_SECONDS),
    )
    begun.go_on(clock.now())
    return begun


def _look(cluster: Cluster, command: str, *, token: str, directory: Directory) -> Look:
    try:
        caller = directory.verify(token, audiences=frozenset({SERVER_APPLICATION}))
    except TokenError:
        return lambda: kubectl.Outcome(text=_UNAUTHORIZED, exit_code=1)

    def send(method: str, target: str, body: bytes, kind: str, accept: str) -> Response:
        return ask(
            cluster,
            caller,
            method=method,
            target=target,
            body=body,
            content_type=kind,
            accept=accept,
        )

    clock = cluster.timeline.clock
    begun = clock.now()
    session = Session(send, waited=lambda: (clock.now() - begun) / clock.scale)
    return lambda: _outcome(session, command)


def _outcome(session: Session, command: str) -> kubectl.Outcome:
    try:
        return kubectl.perform(session, kubectl.parsed(command))
    except kubectl.UnknownCommandError as error:
        return kubectl.Outcome(text=f"{error}\n", exit_code=_NOT_FOUND)
    except kubectl.CommandFailedError as error:
        return kubectl.Outcome(text=error.text, exit_code=1)
