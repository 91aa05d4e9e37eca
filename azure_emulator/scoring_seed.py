"""What a seed document says of what answers scoring requests: AML v2 endpoints, v1 web services.

Durations are Azure's: the emulator's time scale shortens them. Tokens keep real time.
"""

import base64
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from azure_emulator.compute_seed import Count, Seconds, SeedModel

# learn.microsoft.com/azure/machine-learning/reference-yaml-endpoint-online: 3 to 32 characters.
EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9-]{2,31}$")]
# azureml-core's webservice_name_validation.
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][-a-z0-9]{1,30}[a-z0-9]$")]
Share = Annotated[int, Field(ge=0, le=100)]
Outcome = Literal["succeeds", "fails", "never_ends"]
ALL_TRAFFIC = 100
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def on_loopback(url: str) -> str:
    """Return the URL. Raises ValueError unless it is http(s) on this host: nothing here is public."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not (host in LOOPBACK or host.startswith("127.")):
        raise ValueError("must be an http or https URL on this host's loopback")
    return url


def in_base64(text: str) -> str:
    """Return the text. Raises ValueError unless it is Base64."""
    base64.b64decode(text, validate=True)
    return text


LoopbackUrl = Annotated[str, AfterValidator(on_loopback)]


class AnswerSeed(SeedModel):
    """One request and what it is answered; the first that fits is taken."""

    method: Literal["GET", "POST"] = "POST"
    path: str = Field(default="/score", pattern=r"^/", description="Below the service's root.")
    query: dict[str, str] = Field(
        default_factory=dict, description="Parameters that must be there."
    )
    body: JsonValue = Field(default=None, description="The JSON that must be sent; null: any.")
    status: Annotated[int, Field(ge=200, le=599)] = 200
    content: JsonValue = Field(
        default=None, description="What is answered, as JSON: a text becomes a JSON string."
    )


class ScoringBehaviour(SeedModel):
    """What goes wrong with what answers."""

    answer_seconds: Seconds = Field(default=0, description="How long an answer takes.")
    one_at_a_time: bool = Field(
        default=False, description="It is one thread, as R is: health routes wait in line, too."
    )
    hangs: bool = Field(default=False, description="It takes requests and never answers.")
    fails: bool = Field(default=False, description="A score is answered 500, health is fine.")
    no_replicas: bool = Field(default=False, description="The front end answers 503 for it.")
    refuses_credentials: bool = Field(
        default=False, description="Every key and token is answered 401."
    )


class Answering(SeedModel):
    """What answers requests: fixed answers by request, and what goes wrong."""

    answers: tuple[AnswerSeed, ...] = Field(
        default=(), description="Without one that fits, a score is answered 400."
    )
    behaviour: ScoringBehaviour = ScoringBehaviour()
    backend: LoopbackUrl | None = Field(
        default=None,
        description="Root of what answers in place of `answers`, a real R service for instance.",
    )
    logs: str = Field(default="Worker booted.\n", description="What its logs tell.")

    def content(self) -> dict[str, Any]:
        """What answers, apart from what it is called."""
        return {name: getattr(self, name) for name in Answering.model_fields}


class AssetSeed(Answering):
    """A model, environment or image of a workspace: what answers wherever it is deployed."""

    name: str = Field(
        pattern=r"^[^\s]+$", description="`name:version`, or the reference of an image."
    )
    files: dict[str, Annotated[str, AfterValidator(in_base64)]] = Field(
        default_factory=lambda: {"model.bin": ""},
        description="Of a model: its files by path, in Base64.",
    )
    tags: dict[str, str] = Field(default_factory=dict)
    properties: dict[str, str] = Field(default_factory=dict)
    image: str | None = Field(default=None, description="Of an environment: its image.")
    conda_file: str | None = Field(default=None, description="Of an environment, as YAML.")
    provisioning: Outcome = Field(
        default="succeeds", description="What becomes of a deployment with it."
    )


class OnlineDeploymentSeed(Answering):
    """A deployment of an online endpoint; `properties` overrides or adds inner wire properties."""

    name: EndpointName
    provisioning_state: Literal[
        "Creating", "Deleting", "Scaling", "Updating", "Succeeded", "Failed", "Canceled"
    ] = "Succeeded"
    model: str | None = Field(default=None, description="A `name:version` of the workspace.")
    environment: str | None = Field(default=None, description="A `name:version`.")
    environment_variables: dict[str, str] = Field(default_factory=dict)
    instance_type: str = "Standard_F4s_v2"
    instance_count: Count = 1
    tags: dict[str, str] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)


class OnlineEndpointSeed(SeedModel):
    """An AML v2 online endpoint with its deployments."""

    name: EndpointName
    auth_mode: Literal["Key", "AMLToken", "AADToken"] = "Key"
    compute: str | None = Field(
        default=None, description="The Kubernetes compute it runs on; absent: it is managed."
    )
    provisioning_state: Literal[
        "Creating", "Deleting", "Succeeded", "Failed", "Updating", "Canceled"
    ] = "Succeeded"
    public_network_access: Literal["Enabled", "Disabled"] = "Enabled"
    description: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None
    scoring_uri: LoopbackUrl | None = Field(
        default=None, description="Who really answers; absent: the emulator does."
    )
    token_lifetime_seconds: Annotated[float, Field(gt=0)] = 43_200
    traffic: dict[str, Share] | None = Field(
        default=None, description="Percent by deployment; absent: all to the first."
    )
    mirror_traffic: dict[str, Share] = Field(default_factory=dict)
    deployments: tuple[OnlineDeploymentSeed, ...] = ()
    provisioning_seconds: Seconds = Field(
        default=120, description="How long it takes until a deployment is made or changed."
    )
    update_seconds: Seconds = Field(default=30, description="How long an update of itself takes.")
    updates: tuple[Outcome, ...] = Field(
        default=(), description="What becomes of its updates, in turn; all others succeed."
    )

    @model_validator(mode="after")
    def _traffic_goes_to_deployments(self) -> Self:
        refuse_duplicates("deployment", [deployment.name for deployment in self.deployments])
        known = {deployment.name.lower() for deployment in self.deployments}
        named = {name.lower() for name in (*(self.traffic or ()), *self.mirror_traffic)}
        if not named <= known:
            raise ValueError("traffic goes to a deployment that is not there")
        if sum((self.traffic or {}).values()) not in {0, ALL_TRAFFIC}:
            raise ValueError("traffic must sum to 100, or to 0")
        return self

    def shares(self) -> dict[str, int]:
        """Percent of the traffic by deployment, in lower case."""
        if self.traffic is not None:
            return {name.lower(): share for name, share in self.traffic.items()}
        return {deployment.name.lower(): ALL_TRAFFIC for deployment in self.deployments[:1]}


class WebServiceSeed(Answering):
    """An AML v1 web service, on ACI or AKS."""

    name: ServiceName
    compute_type: Literal["ACI", "AKS"] = "ACI"
    state: Literal[
        "Transitioning", "Healthy", "Unhealthy", "Failed", "Unschedulable", "Deleting"
    ] = "Healthy"
    auth_enabled: bool = Field(default=True, description="It wants a key.")
    token_auth_enabled: bool = Field(default=False, description="It wants a token; AKS only.")
    scoring_uri: LoopbackUrl | None = Field(
        default=None, description="Who really answers; absent: the emulator does."
    )
    token_lifetime_seconds: Annotated[float, Field(gt=0)] = 43_200
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    properties: dict[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None
    created_by: str = "platform@contoso.example"
    image: str | None = Field(default=None, description="`imageId`, a `name:version`.")
    image_digest: str | None = None
    models: tuple[str, ...] = Field(
        default=(), description="Each a `name:version`: it was made of them and an environment."
    )
    update_seconds: Seconds = Field(default=60, description="How long an update takes.")
    compute_name: str = Field(default="aks-inference", description="Of AKS: the cluster.")
    namespace: str | None = Field(default=None, description="Of AKS; absent: azureml-<workspace>.")
    replicas: Count = Field(default=1, description="Of AKS.")
    error: dict[str, Any] | None = Field(default=None, description="Why it is as it is.")

    @model_validator(mode="after")
    def _has_one_kind_of_sign_in(self) -> Self:
        if self.token_auth_enabled and (self.auth_enabled or self.compute_type == "ACI"):
            raise ValueError("token_auth_enabled is for AKS, and only where auth_enabled is false")
        return self


def refuse_duplicates(noun: str, names: list[str]) -> None:
    """Raise ValueError for names that are there twice, in whatever case."""
    counted = Counter(name.lower() for name in names)
    twice = sorted(name for name, times in counted.items() if times > 1)
    if twice:
        raise ValueError(f"more than one {noun} is called {', '.join(twice)}")
