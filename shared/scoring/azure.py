"""What Azure Machine Learning knows of scoring services: the port, and the values that pass through it.

`shared.clients.online_endpoints` (AML v2) and `shared.clients.web_services_v1` (AML v1) provide it;
`tests/support/fake_scoring.py` has a fake that passes the same suite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.scoring.service import Kind


class SignIn(StrEnum):
    """What a service wants its callers to show; AML_TOKEN is Azure ML's own."""

    NONE = "none"
    KEY = "key"
    AML_TOKEN = "aml-token"  # noqa: S105  # the name of a kind
    ENTRA_TOKEN = "entra-token"  # noqa: S105  # likewise


@dataclass(frozen=True, kw_only=True)
class FoundService:
    """A service as Azure describes it.

    `scoring_uri` is the whole URL that scores, empty while there is none. `state` is Azure's word:
    a provisioning state (v2: Creating, Deleting, Succeeded, Failed, Updating, Canceled) or a health
    state (v1: Transitioning, Healthy, Unhealthy, Failed, Unschedulable). `runs_on` is Azure's word,
    too: Managed, Kubernetes, ACI, AKS. `image` is what v1 says of it, often nothing. `error` is why v1
    failed, without secrets. `gets_traffic`: whether v2 sends any deployment traffic, None where that
    is not told.
    """

    id: str
    name: str
    workspace_id: str
    kind: Kind
    runs_on: str
    scoring_uri: str
    sign_in: SignIn
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    error: str = ""
    gets_traffic: bool | None = None
    created_at: datetime | None = None

    @property
    def key(self) -> str:
        """The id for comparisons: Azure ignores its case."""
        return self.id.lower()


@dataclass(frozen=True, kw_only=True)
class WorkspaceServices:
    """The services of one kind in a workspace; `problem`: why it could not be listed."""

    workspace_id: str
    services: Sequence[FoundService] = ()
    problem: str = ""

    @property
    def listed(self) -> bool:
        """Whether the services are all there are."""
        return not self.problem


@dataclass(frozen=True, kw_only=True)
class ServiceKey:
    """A key or a token that opens one service: what goes behind `Bearer`. Never log it.

    A key does not expire by itself: it has neither time. A token should be asked for anew from
    `refresh_after` on, and is refused from `expires_at` on.
    """

    value: str = field(repr=False)
    refresh_after: datetime | None = None
    expires_at: datetime | None = None


class ScoringAzure(Protocol):
    """Services of one kind, as one principal sees them. `deadline` is when to give up waiting.

    The ids of services are ARM ids, `.../workspaces/{w}/onlineEndpoints/{e}` (v2) or
    `.../workspaces/{w}/services/{s}` (v1). But for `list_services` every method raises
    `AzureRequestError` or `CredentialError`; their texts hold no key.
    """

    async def list_services(self, workspace_id: str, *, deadline: datetime) -> WorkspaceServices:
        """Every service of a workspace. Never raises: a workspace that says no spares the others."""

    async def get_service(self, service_id: str, *, deadline: datetime) -> FoundService:
        """One service by its id."""

    async def get_key(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """The primary key, of a service that signs in with keys."""

    async def get_token(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """A token, of a service that signs in with tokens: Azure ML's own, or Entra ID's."""
