"""Redeploys from the outside: a worker that may be killed, a queue that may be hurried, a cluster."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from local_host.azurite.process import Azurite
from r_services.programs import Program, weight_service
from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.step_queue import QUEUE, StepMessage
from shared.clients.storage import StorageAccount
from tests.end_to_end.scoring_file import put_file
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.kubernetes import CLUSTER, a_cluster, a_manifest
from tests.support.local_host import LocalHost, poll
from tests.support.wire import Reply

PATIENCE_SECONDS = 100.0
LOOK_EVERY = 0.1
# Scaled by the emulator to 2 s, and for what is a real program to 30 s.
DEADLINE_SECONDS, R_DEADLINE_SECONDS = 100, 1500
GOLDEN = {
    "name": "height 138",
    "path": "/weight",
    "query": {"height": 138},
    "expect": [{"at": "$.response[0]", "equals": 161.8533, "absolute": 5e-5}],
}
Report = dict[str, Any]


def canned_cluster() -> dict[str, Any]:
    """A cluster whose containers answer what they are told to, at once."""
    return a_cluster(a_manifest(progressDeadlineSeconds=DEADLINE_SECONDS))


def r_cluster(images: Mapping[str, Path]) -> dict[str, Any]:
    """A cluster whose images are the weight service with a model each, in R: one replica."""
    document = a_cluster(a_manifest(replicas=1, progressDeadlineSeconds=R_DEADLINE_SECONDS))
    return {"version": 1, **document, "images": {**document["images"], **r_images(images)}}


def r_images(models: Mapping[str, Path]) -> dict[str, Any]:
    """Images that are the weight service with a model each, in R, for a file of a seed."""
    return {image: _image_of(weight_service(model)) for image, model in models.items()}


def _image_of(program: Program) -> dict[str, Any]:
    environment = {name: text for name, text in program.environment.items() if name != "PORT"}
    folder, command = str(program.folder), list(program.command)
    return {"command": command, "folder": folder, "environment": environment}


def declared(emulator: EmulatorProcess, azurite: Azurite) -> str:
    """Declare the Deployment `weight`, and return the service's name."""
    entry = {
        "kind": "aks",
        "url": weight_url(emulator),
        "resource_id": CLUSTER,
        "aks": {"deployment": "weight"},
        "checks": {"golden": [GOLDEN]},
    }
    return declare(azurite, entry)


def declare(azurite: Azurite, entry: Mapping[str, Any]) -> str:
    """Let a service be all that the app looks after; no other test has its name, which it returns."""
    name = f"weight-{uuid4().hex[:8]}"
    put_file(azurite, {"version": 1, "services": [{"name": name, **entry}]})
    return name


@dataclass(kw_only=True)
class Worker:
    """The app in the local host, which is the only one at its queue; another takes its place."""

    emulator: EmulatorProcess
    azurite: Azurite
    own_env: Path
    patience_seconds: float = PATIENCE_SECONDS
    host: LocalHost = field(init=False)

    def start(self) -> None:
        self.host = LocalHost(
            env_files=[self.emulator.env_file, self.own_env],
            # What a killed worker had in its hands is seen again so much later.
            options=("--queue-invisibility-seconds", "3"),
        )
        self.host.__enter__()

    def stop(self) -> None:
        self.host.__exit__(None, None, None)

    def kill(self) -> None:
        """End it as the platform does when it takes a machine away: nothing is finished."""
        self.host.stop(with_signal=signal.SIGKILL)

    def replace(self, location: str) -> None:
        """Start another, which knows nothing but what was recorded; it takes up by itself.

        What the killed one held is free again, as it is after a minute and a half.
        """
        self.stop()
        release(self.azurite, location.rpartition("/")[2])
        self.start()
        found = self.show(location)
        wait_for(
            lambda: found["done"] or next_step(self.show(location)) > next_step(found),
            f"step {next_step(found)}",
        )

    def begin(self, name: str, **order: Any) -> Reply:
        return begin(self.host, name, **order)

    def begun(self, name: str, **order: Any) -> str:
        """Begin one that is let in, and return where it is shown."""
        return begun(self.host, name, **order)

    def show(self, location: str) -> Report:
        shown = self.host.get(location)
        assert shown.status == 200, shown.body
        report: Report = shown.json()
        return report

    def follow(self, location: str, *, until: Callable[[Report], bool] | None = None) -> Report:
        """Return how a redeploy is once it has ended, or once it is as wanted.

        Nobody waits for the time of the next step: its message comes twice, the first time at once.
        """
        wanted = until or is_done
        hurried, deadline = -1, time.monotonic() + self.patience_seconds
        while time.monotonic() < deadline:
            report = self.show(location)
            if wanted(report):
                return report
            if next_step(report) > hurried:
                hurried = next_step(report)
                self.hurry(report)
            time.sleep(LOOK_EVERY)
        raise AssertionError(f"it goes on: {report}")

    def hurry(self, report: Report) -> None:
        """Ask for the next step now."""
        message = StepMessage(redeploy_id=report["redeploy_id"], step=next_step(report))
        with QueueClient.from_connection_string(
            self.azurite.connection_string, QUEUE, message_encode_policy=TextBase64EncodePolicy()
        ) as queue:
            queue.send_message(message.text)

    def await_close(self, name: str) -> None:
        """Wait until an ended redeploy has given its service back, and with it the maintenance."""
        path = f"/api/scoring/services/{name}"
        wait_for(lambda: not self.host.get(path).json()["maintenance"], "the maintenance's end")


def begin(host: LocalHost, name: str, **order: Any) -> Reply:
    """Ask for a redeploy."""
    body = {"reason": "a new model", **order}
    return host.post(f"/api/scoring/services/{name}/redeploy", body=body)


def begun(host: LocalHost, name: str, **order: Any) -> str:
    """Begin one that is let in, and return where it is shown."""
    answer = begin(host, name, **order)
    assert answer.status == 202, answer.body
    return answer.headers["location"]


def ended(host: LocalHost, location: str, *, seconds: float = PATIENCE_SECONDS) -> Report:
    """Return how a redeploy is once it has ended in its own time. Raises LocalHostError."""

    def look() -> Report | None:
        report: Report = host.get(location).json()
        return report if is_done(report) else None

    return poll(look, seconds=seconds, what=f"the end of {location}")


def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds. Raises LocalHostError."""
    poll(lambda: holds() or None, seconds=PATIENCE_SECONDS, what=what)


def release(azurite: Azurite, redeploy_id: str) -> None:
    """Let the lease of a redeploy end now."""

    async def end_lease() -> None:
        account = StorageAccount(connection_string=azurite.connection_string)
        async with RedeployStoreClient(account) as store:
            found = await store.get(redeploy_id)
            if found and found.owner:
                await store.save(replace(found, lease_until=found.created_at))

    asyncio.run(end_lease())


@contextmanager
def frozen(azurite: Azurite) -> Iterator[None]:
    """Let the storage account answer nobody within the block."""
    os.kill(azurite.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(azurite.pid, signal.SIGCONT)


@contextmanager
def worker_of(emulator: EmulatorProcess, azurite: Azurite, folder: Path) -> Iterator[Worker]:
    """Run the app, alone at its queue, with a file of services that is empty as yet."""
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, {"version": 1, "services": []}),
        "SCORING_DISCOVERY": "none",
    }
    own_env = folder / "own.env"
    write_env_file(own_env, settings)
    worker = Worker(emulator=emulator, azurite=azurite, own_env=own_env)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def is_done(report: Report) -> bool:
    return bool(report["done"])


def next_step(report: Report) -> int:
    """Which step comes next: steps that saw the same are one note."""
    notes = report["steps"]
    return notes[-1]["step"] + notes[-1]["times"] if notes else 0


def verdicts(report: Report, of: str) -> Sequence[str]:
    """What was found of the new one, or of the old one."""
    return [each["verdict"] for each in report["evidence"][of]]


def tasks(report: Report) -> Sequence[str]:
    return [note["task"] for note in report["steps"]]


def at(task: str) -> Callable[[Report], bool]:
    """Whether a redeploy's last step that ended was of this task."""
    return lambda report: bool(report["steps"]) and report["steps"][-1]["task"] == task


def patches(emulator: EmulatorProcess) -> int:
    """How many changes the cluster was asked for."""
    return sum(each["method"] == "PATCH" and each["status"] == 200 for each in emulator.requests())


def weight_url(emulator: EmulatorProcess) -> str:
    """Where the Deployment answers."""
    (cluster,) = emulator.state()["managed_clusters"]
    url: str = cluster["deployments"][0]["url"]
    return url
