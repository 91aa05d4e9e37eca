"""A private cluster's API through Azure's `runCommand`: kubectl, run for us inside the cluster.

Slow (each question is a command of its own), but it needs no network of one's own. Source:
learn.microsoft.com/rest/api/aks/managed-clusters/run-command (2026-08-01) and
learn.microsoft.com/azure/aks/access-private-cluster.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from shared.clients.arm import Arm
from shared.clients.arm_answer import ArmAnswer, parse_object
from shared.clients.kubernetes_api import FIELD_MANAGER, Log, Question, Resource
from shared.clients.lenient_json import as_object, as_objects, text
from shared.errors import AzureRequestError, MissingRightError

API_VERSION: Final = "2026-08-01"
RUN: Final = "Microsoft.ContainerService/managedClusters/runCommand/action"
READ_RESULT: Final = "Microsoft.ContainerService/managedClusters/commandResults/read"
COMMAND_SECONDS: Final = 40.0
# A command inside a cluster that is warm takes a few seconds, the first one more.
FIRST_POLL_SECONDS: Final = 0.25
LONGEST_POLL_SECONDS: Final = 3.0
_REFUSED: Final = re.compile(r"^Error from server \((\w+)\): (.*)$", re.MULTILINE)
_INVALID: Final = re.compile(r'^The (?:request|\S+ "[^"]*") is invalid: (.*)$', re.MULTILINE)
_UNAUTHORIZED: Final = "You must be logged in to the server"
_STATUSES: Final = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "Conflict": 409,
    "Invalid": 422,
    "TooManyRequests": 429,
    "ServiceUnavailable": 503,
}


@dataclass(frozen=True, kw_only=True)
class KubernetesByCommand:
    """Provides `KubernetesApi`. `token` is the service principal's, for AKS's server application."""

    arm: Arm
    cluster_id: str
    token: str = field(repr=False)
    now: Callable[[], datetime]

    async def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any]:
        """Read one object."""
        asked = self._question("get", resource, namespace, name)
        return _parsed(await self._get(resource.path(namespace, name), asked), asked)

    async def list(
        self, resource: Resource, namespace: str, *, selector: str
    ) -> Sequence[Mapping[str, Any]]:
        """Read a list."""
        asked = self._question("list", resource, namespace)
        path = f"{resource.path(namespace)}?{urlencode({'labelSelector': selector})}"
        return as_objects(_parsed(await self._get(path, asked), asked).get("items"))

    async def read_log(self, namespace: str, log: Log) -> str:
        """Read the end of a log."""
        asked = self._question("get", "pods/log", namespace, log.pod)
        query = {
            "container": log.container,
            "tailLines": log.lines,
            "previous": str(log.previous).lower(),
        }
        path = f"{Resource.PODS.path(namespace, log.pod)}/log?{urlencode(query)}"
        return await self._get(path, asked)

    async def patch_deployment(
        self, namespace: str, name: str, patch: Sequence[Mapping[str, Any]]
    ) -> None:
        """Change a Deployment, as the manager FIELD_MANAGER."""
        asked = self._question("patch", Resource.DEPLOYMENTS, namespace, name)
        words = ["kubectl", "patch", "deployment", name, "--namespace", namespace]
        words += ["--type", "json", "--field-manager", FIELD_MANAGER]
        await self._run([*words, "--patch", json.dumps(patch), "--output", "name"], asked)

    async def _get(self, path: str, asked: Question) -> str:
        return await self._run(["kubectl", "get", "--raw", path], asked)

    async def _run(self, words: Sequence[str], asked: Question) -> str:
        """Run a command, and return what it printed. Raises as the port says."""
        deadline = self.now() + timedelta(seconds=COMMAND_SECONDS)
        begun = await self.arm.post(
            f"{self.cluster_id}/runCommand",
            {"command": shlex.join(words), "clusterToken": self.token},
            deadline=deadline,
            api_version=API_VERSION,
        )
        if begun.status == HTTPStatus.FORBIDDEN:
            raise MissingRightError(RUN, on=self.cluster_id)
        if not begun.succeeded:
            raise begun.as_error()
        result = as_object((await self._result(begun, deadline, asked)).get("properties"))
        said = text(result, "logs")
        if result.get("exitCode") == 0:
            return said
        raise _failure(asked, said, result)

    async def _result(
        self, answer: ArmAnswer, deadline: datetime, asked: Question
    ) -> Mapping[str, Any]:
        where, pause = answer.headers.get("Location", ""), FIRST_POLL_SECONDS
        while answer.status == HTTPStatus.ACCEPTED:
            if not where:
                problem = f"{asked}: runCommand does not say where its result is"
                raise AzureRequestError(problem, status=None)
            if self.now() + timedelta(seconds=pause) > deadline:
                problem = f"{asked}: the command did not end within {COMMAND_SECONDS:g} s"
                raise AzureRequestError(problem, status=None, retryable=True)
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, LONGEST_POLL_SECONDS)
            answer = await self._look(where, deadline)
        return answer.body

    async def _look(self, where: str, deadline: datetime) -> ArmAnswer:
        try:
            return await self.arm.get(where, deadline=deadline)
        except AzureRequestError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                raise MissingRightError(READ_RESULT, on=self.cluster_id) from None
            raise

    def _question(self, verb: str, resource: str, namespace: str, name: str = "") -> Question:
        return Question(
            verb=verb, resource=resource, namespace=namespace, name=name, cluster=self.cluster_id
        )


def _failure(asked: Question, said: str, result: Mapping[str, Any]) -> Exception:
    """Return the error to raise for a command that failed, from kubectl's own words."""
    if _UNAUTHORIZED in said:
        return asked.failure(_STATUSES["Unauthorized"], {})
    reason, message = _refusal(said)
    if not reason:
        reason = text(result, "reason") or f"exit code {result.get('exitCode')}"
    status = _STATUSES.get(reason, _STATUSES["BadRequest"])
    return asked.failure(status, {"reason": reason, "message": message})


def _refusal(said: str) -> tuple[str, str]:
    """Return Kubernetes' word for a refusal, empty where it was none, and what was said of it."""
    if found := _REFUSED.search(said):
        return found[1], found[2]
    # kubectl has words of its own for these (pkg/cmd/util, CheckErr).
    if found := _INVALID.search(said):
        return "Invalid", found[1]
    return "", said


def _parsed(said: str, asked: Question) -> Mapping[str, Any]:
    body, problem = parse_object(said.encode())
    if problem or not body:
        # Azure cuts what a command prints at 512 kB.
        raise AzureRequestError(f"{asked}: {problem or 'nothing was printed'}", status=None)
    return body
