"""An emulated AKS cluster for tests, its Deployment, and an unmodified kubectl signed in to it."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import yaml
from azure.core.credentials import AccessToken

from shared.clients.aks import AksMover
from shared.clients.arm import Arm, ArmSettings
from shared.clients.kubernetes_access import KubernetesAccess
from shared.clients.pacer import Pacer
from shared.scoring.service import Service
from tests.support.arm_session import AUDIENCE, now
from tests.support.emulator import ARM_VERSION, EmulatorProcess
from tests.support.wire import Reply

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
CLUSTER = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.ContainerService/managedClusters/aks-ml"
)
SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
REPOSITORY = "registry.example/weight"
GOOD, BETTER, WRONG = f"{REPOSITORY}:1", f"{REPOSITORY}:2", f"{REPOSITORY}:3"
NEVER_READY, CRASHES, GONE = f"{REPOSITORY}:never", f"{REPOSITORY}:crashes", f"{REPOSITORY}:gone"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ARM_VERSION_OF_CLUSTERS = "2026-08-01"
KUBECTL_SECONDS = 60.0
LOOK_SECONDS = 0.05


def answering(weight: float, **image: Any) -> dict[str, Any]:
    """An image whose containers answer any height with this weight."""
    answer = {"method": "GET", "path": "/weight", "content": {"response": [weight]}}
    alive = {"method": "GET", "path": "/live", "content": {"status": "live"}}
    return {"answers": [answer, alive], **image}


def a_manifest(name: str = "weight", image: str = GOOD, **spec: Any) -> dict[str, Any]:
    """A Deployment of two replicas with one container."""
    labels = {"app.kubernetes.io/name": name}
    container = {"name": name, "image": image, "ports": [{"containerPort": 8000}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def a_cluster(*manifests: Mapping[str, Any], **cluster: Any) -> dict[str, Any]:
    """A seed document of one cluster and its registry."""
    images = {
        GOOD: answering(161.8533),
        BETTER: answering(161.8533),
        WRONG: answering(66.2),
        NEVER_READY: {"starts": "never_ready"},
        CRASHES: {"starts": "crashes"},
    }
    seeded = {"name": "aks-ml", "deployments": manifests or (a_manifest(),), **cluster}
    subscription = {"id": SUBSCRIPTION, "managed_clusters": [seeded]}
    return {"images": images, "subscriptions": [subscription]}


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """A cluster of one emulator, asked by hand with a token of the service principal."""

    emulator: EmulatorProcess
    token: str
    kubeconfig: Mapping[str, Any]

    @property
    def root(self) -> str:
        server: str = self.kubeconfig["clusters"][0]["cluster"]["server"]
        return server

    def get(self, path: str, **headers: str) -> Reply:
        return self.emulator.wire.get(f"{self.root}{path}", token=self.token, **headers)

    def deployment(self, name: str = "weight") -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{DEPLOYMENTS}/{name}").json()
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(path).json()["items"]
        return items

    def pods(self) -> list[dict[str, Any]]:
        return self.items("/api/v1/namespaces/default/pods")

    def replica_sets(self) -> list[dict[str, Any]]:
        return self.items("/apis/apps/v1/namespaces/default/replicasets")

    def patch(
        self,
        change: Any,
        *,
        kind: str = "strategic-merge-patch",
        name: str = "weight",
        query: str = "",
    ) -> Reply:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"application/{kind}+json",
        }
        body = json.dumps(change).encode()
        path = f"{self.root}{DEPLOYMENTS}/{name}{query}"
        return self.emulator.wire.send("PATCH", path, body=body, headers=headers)

    def set_image(self, image: str, name: str = "weight") -> Reply:
        containers = [{"name": name, "image": image}]
        return self.patch({"spec": {"template": {"spec": {"containers": containers}}}}, name=name)

    def run_command(self, command: str) -> dict[str, Any]:
        """The result of `az aks command invoke`. TimeoutError when there is none in time."""
        token = self.emulator.arm_token()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"command": command, "clusterToken": self.token}).encode()
        path = f"{CLUSTER}/runCommand?api-version={ARM_VERSION_OF_CLUSTERS}"
        begun = self.emulator.wire.send("POST", path, body=body, headers=headers)
        deadline = time.monotonic() + KUBECTL_SECONDS
        reply = begun
        while reply.status == HTTPStatus.ACCEPTED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no result of {command!r} within {KUBECTL_SECONDS} s")
            # Looks without a pause would empty Resource Manager's bucket of reads.
            time.sleep(LOOK_SECONDS)
            reply = self.emulator.wire.get(begun.headers["location"], token=token)
        assert reply.status == HTTPStatus.OK, reply.body
        properties: dict[str, Any] = reply.json()["properties"]
        return properties

    def weight_of_138(self) -> Reply:
        """What the Deployment answers now."""
        return self.ask("/weight?height=138")

    def ask(self, target: str) -> Reply:
        """GET below the Deployment's own URL."""
        (cluster,) = self.emulator.state()["managed_clusters"]
        url = cluster["deployments"][0]["url"]
        return self.emulator.wire.get(f"{url}{target}")


def connect(emulator: EmulatorProcess) -> Kubernetes:
    """Sign in to the cluster as the service principal, by the kubeconfig that Azure hands out."""
    token = emulator.arm_token()
    reply = emulator.arm("POST", f"{CLUSTER}/listClusterUserCredential", token=token)
    content = base64.b64decode(reply.json()["kubeconfigs"][0]["value"])
    return Kubernetes(
        emulator=emulator,
        token=emulator.arm_token(SERVER_APPLICATION),
        kubeconfig=yaml.safe_load(content),
    )


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """The kubectl of this machine, with a token in place of the plugin that would ask for one."""

    program: str
    folder: Path
    kubernetes: Kubernetes

    def __call__(self, *arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        user = {"name": "app", "user": {"token": self.kubernetes.token}}
        context = {"name": "aks-ml", "context": {"cluster": "aks-ml", "user": "app"}}
        config = {**self.kubernetes.kubeconfig, "users": [user], "contexts": [context]}
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        done = subprocess.run(
            [self.program, "--kubeconfig", str(path), *arguments],
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            check=False,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"]},
        )
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done


def kubectl_of(kubernetes: Kubernetes, folder: Path) -> Kubectl:
    """Return kubectl; skips the test where there is none."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on PATH: on Debian, apt-get install kubernetes-client")
    return Kubectl(program=program, folder=folder, kubernetes=kubernetes)


def container_states(pods: Sequence[Mapping[str, Any]]) -> set[str]:
    """Why containers wait; `running` for those that do not."""
    states = [pod["status"]["containerStatuses"][0]["state"] for pod in pods]
    return {state.get("waiting", {}).get("reason", "running") for state in states}


@dataclass
class SignedIn:
    """A credential that has the service principal's token for every scope that is asked."""

    emulator: EmulatorProcess
    tokens: dict[str, str] = field(default_factory=dict)

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        (scope,) = scopes
        if scope not in self.tokens:
            resource = scope.removesuffix("/.default")
            self.tokens[scope] = self.emulator.arm_token(resource)
        later = datetime.now(UTC) + timedelta(hours=1)
        return AccessToken(self.tokens[scope], int(later.timestamp()))

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Nothing is open."""


def an_aks_service(**aks: Any) -> Service:
    """The service of the Deployment `weight`, as a file declares it."""
    return Service.model_validate(
        {
            "name": "weight",
            "kind": "aks",
            "url": "https://weight.example",
            "preset": "plumber",
            "resource_id": CLUSTER,
            "aks": {"deployment": "weight", **aks},
        }
    )


@asynccontextmanager
async def open_mover(emulator: EmulatorProcess) -> AsyncIterator[AksMover]:
    """The mover, signed in as in production."""
    credential = SignedIn(emulator)
    settings = ArmSettings(endpoint=emulator.url, scope=AUDIENCE, api_version=ARM_VERSION)
    async with Arm(
        settings,
        credential=credential,
        pacer=Pacer(),
        now=now,
        on_answer=lambda _operation, _throttled: None,
    ) as arm:
        yield AksMover(KubernetesAccess(arm, credential=credential, now=now).open)
