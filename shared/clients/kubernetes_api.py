"""What is asked of a Kubernetes API server, and what its refusals mean.

Source: kubernetes.io/docs/reference/using-api/api-concepts, apps/v1 and core/v1; refusals are objects of
kind Status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote

from shared.clients.lenient_json import text
from shared.clients.redaction import redact
from shared.errors import AzureRequestError, CredentialError, MissingRightError

FIELD_MANAGER: Final = "aml-ops"
_TRANSIENT: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


class Resource(StrEnum):
    """The resources that are asked about, as Kubernetes' own messages name them."""

    DEPLOYMENTS = "deployments.apps"
    REPLICA_SETS = "replicasets.apps"
    PODS = "pods"

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of all in a namespace, or of one."""
        plural, _, group = self.partition(".")
        root = f"/apis/{group}/v1" if group else "/api/v1"
        last = f"/{quote(name, safe='')}" if name else ""
        return f"{root}/namespaces/{quote(namespace, safe='')}/{plural}{last}"


@dataclass(frozen=True, kw_only=True)
class Log:
    """Which log: the last lines of a container, or of the one before it that ended."""

    pod: str
    container: str
    previous: bool
    lines: int = 20


class KubernetesApi(Protocol):
    """One cluster. Raises AzureRequestError, CredentialError or MissingRightError."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any]:
        """Read one object."""

    async def list(
        self, resource: Resource, namespace: str, *, selector: str
    ) -> Sequence[Mapping[str, Any]]:
        """Read all that have these labels."""

    async def read_log(self, namespace: str, log: Log) -> str:
        """Read the end of a log."""

    async def patch_deployment(
        self, namespace: str, name: str, patch: Sequence[Mapping[str, Any]]
    ) -> None:
        """Change a Deployment by a JSON patch (RFC 6902); one that fits no more is refused: 422."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked, to be named in errors: a verb of Kubernetes on a resource in a namespace."""

    verb: str
    resource: str
    namespace: str
    name: str
    cluster: str

    def failure(self, status: int, body: Mapping[str, Any]) -> Exception:
        """Return the error to raise for a refusal."""
        if status == HTTPStatus.UNAUTHORIZED:
            return CredentialError(
                f"{self.cluster} does not take the service principal's token: is Entra ID on in it?"
            )
        if status == HTTPStatus.FORBIDDEN:
            where = f"namespace {self.namespace} of {self.cluster}"
            return MissingRightError(f"{self.verb} {self.resource}", on=where)
        reason, message = text(body, "reason"), redact(text(body, "message"))
        said = ": ".join(part for part in (str(status), reason, message) if part)
        return AzureRequestError(
            f"{self}: {said}", status=status, code=reason, retryable=status in _TRANSIENT
        )

    def __str__(self) -> str:
        named = " ".join(part for part in (self.resource, self.name) if part)
        return f"{self.verb} {named} in namespace {self.namespace} of {self.cluster}"
