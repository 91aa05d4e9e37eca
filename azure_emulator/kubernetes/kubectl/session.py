"""A kubectl that is signed in: it asks the API, and fails in kubectl's words.

Source: kubectl 1.32, pkg/cmd/util (CheckErr) and cli-runtime pkg/resource.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from azure_emulator.kubernetes.errors import REJECTED, qualified
from azure_emulator.kubernetes.store import KINDS, Object

# Method, target, body, Content-Type, Accept.
Ask = Callable[[str, str, bytes, str, str], Response]
_APPS = frozenset({"deployments", "replicasets"})
_ERRORS = 400
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"


class CommandFailedError(Exception):
    """A command that ends with exit code 1, and what it printed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = f"{text}\n"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command printed; without an exit code it goes on."""

    text: str
    exit_code: int | None = 0


@dataclass(frozen=True, kw_only=True)
class Target:
    """Objects of a kind in a namespace, empty for all; no name stands for all that fit."""

    plural: str
    namespace: str
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def path(self) -> str:
        root = "/apis/apps/v1" if self.plural in _APPS else "/api/v1"
        within = f"/namespaces/{self.namespace}" if self.namespace and self.namespaced else ""
        return f"{root}{within}/{self.plural}"

    @property
    def namespaced(self) -> bool:
        return self.plural != "namespaces"

    def called(self, name: str = "") -> str:
        """An object as kubectl names it: `deployment.apps/weight`."""
        group = qualified(self.plural).partition(".")[1:]
        return f"{KINDS[self.plural].lower()}{''.join(group)}/{name or self.name}"


class Session:
    """The API of one cluster, for one caller; `waited` is how many of Azure's seconds so far."""

    def __init__(self, ask: Ask, *, waited: Callable[[], float]) -> None:
        self._ask = ask
        self.waited = waited

    def text(
        self,
        target: str,
        *,
        method: str = "GET",
        body: Any = None,
        kind: str = "",
        accept: str = "",
    ) -> str:
        """Send a request. Raises CommandFailedError for a refusal."""
        content = b"" if body is None else json.dumps(body).encode()
        response = self._ask(method, target, content, kind, accept)
        answer = bytes(response.body).decode()
        if response.status_code >= _ERRORS:
            status = json.loads(answer)
            raise CommandFailedError(_told(status))
        return answer

    def get(self, target: Target) -> Object:
        found: Object = json.loads(self.text(f"{target.path}/{target.name}"))
        return found

    def items(self, target: Target, query: str = "") -> list[Object]:
        """A list, whose items say their kind as they do alone."""
        listed = json.loads(self.text(f"{target.path}{query}"))
        named = {"apiVersion": listed["apiVersion"], "kind": KINDS[target.plural]}
        return [{**named, **each} for each in listed["items"]]

    def patch(
        self, target: Target, change: Any, *, kind: str = STRATEGIC, query: str = ""
    ) -> Object:
        path = f"{target.path}/{target.name}{query}"
        stored: Object = json.loads(self.text(path, method="PATCH", body=change, kind=kind))
        return stored

    def owned(self, plural: str, owner: Object) -> Sequence[Object]:
        """What an object controls."""
        metadata = owner["metadata"]
        whole = self.items(Target(plural=plural, namespace=metadata["namespace"]))
        return [each for each in whole if _is_controlled(each, metadata["uid"])]


def _told(status: Object) -> str:
    if status["message"] == REJECTED:
        return f"The request is invalid: {REJECTED}"
    return f"Error from server ({status['reason']}): {status['message']}"


def _is_controlled(given: Object, uid: str) -> bool:
    owners = given["metadata"].get("ownerReferences", [])
    return any(owner["uid"] == uid for owner in owners)
