"""What `az aks command invoke` runs inside a cluster: `kubectl get --raw` and `kubectl patch`.

Nothing is executed: the two commands are read, and the cluster's own API answers. Source:
Microsoft.ContainerService 2026-08-01, RunCommandRequest and RunCommandResult; kubectl's words of 1.32.
"""

import json
import shlex
import uuid
from argparse import ArgumentError, ArgumentParser
from dataclasses import dataclass, field
from typing import NoReturn

from azure_emulator.entra import Directory, TokenError
from azure_emulator.kubernetes.access import SERVER_APPLICATION
from azure_emulator.kubernetes.api import ask
from azure_emulator.kubernetes.cluster import Cluster

RUN_SECONDS = 5.0
_PATCHES = {"json": "json-patch", "merge": "merge-patch", "strategic": "strategic-merge-patch"}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that was run; its result shows at `finished_at` (Unix seconds)."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    exit_code: int
    logs: str
    started_at: float
    finished_at: float


def run(cluster: Cluster, command: str, *, token: str, directory: Directory) -> Command:
    """Run a command as whom the token speaks for."""
    exit_code, logs = _output(cluster, command, token=token, directory=directory)
    clock = cluster.timeline.clock
    return Command(
        exit_code=exit_code,
        logs=logs,
        started_at=clock.now(),
        finished_at=clock.in_azure_seconds(RUN_SECONDS),
    )


class _Arguments(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentError(None, message)


def _output(cluster: Cluster, command: str, *, token: str, directory: Directory) -> tuple[int, str]:
    try:
        caller = directory.verify(token, audiences=frozenset({SERVER_APPLICATION}))
    except TokenError:
        return 1, "error: You must be logged in to the server (Unauthorized)\n"
    try:
        words = _parser().parse_args(shlex.split(command))
        target = words.raw if words.verb == "get" else _deployment(words.namespace, words.name)
    except (ValueError, ArgumentError):
        return 127, "The emulator knows `kubectl get --raw` and `kubectl patch deployment` alone\n"
    method = "GET" if words.verb == "get" else "PATCH"
    kind = f"application/{_PATCHES[words.type]}+json" if method == "PATCH" else ""
    body = words.patch.encode() if method == "PATCH" else b""
    response = ask(cluster, caller, method=method, target=target, body=body, content_type=kind)
    content = bytes(response.body).decode()
    return (0, content) if response.status_code < 400 else (1, _refusal(content))  # noqa: PLR2004  # HTTP


def _parser() -> ArgumentParser:
    parser = _Arguments(add_help=False, exit_on_error=False)
    parser.add_argument("program", choices=["kubectl"])
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Arguments)
    verbs.add_parser("get").add_argument("--raw", required=True)
    patch = verbs.add_parser("patch")
    patch.add_argument("resource", choices=["deployment"])
    patch.add_argument("name")
    patch.add_argument("--namespace", "-n", default="default")
    patch.add_argument("--type", choices=sorted(_PATCHES), default="strategic")
    patch.add_argument("--patch", "-p", required=True)
    patch.add_argument("--field-manager", default="kubectl-patch")
    patch.add_argument("--output", "-o")
    return parser


def _deployment(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


def _refusal(content: str) -> str:
    status = json.loads(content)
    return f"Error from server ({status['reason']}): {status['message']}\n"
