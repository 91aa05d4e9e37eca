"""A scoring service as its platform team declares it: where it is, how it is checked, who owns it.

The models are the file format, too: the JSON Schema in docs/ is generated from them. Nothing here is
secret: credentials are *names* of Key Vault secrets, or come from Azure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator


class Kind(StrEnum):
    """What runs a service, and so who can say more about it or redeploy it."""

    HTTP = "http"
    AML_V1 = "aml-v1"
    AML_ONLINE = "aml-online"
    AKS = "aks"
    ACI = "aci"


class Preset(StrEnum):
    """Conventions of a server: its cheap routes, and how its answers are wrapped."""

    PLUMBER = "plumber"
    VETIVER = "vetiver"
    AML_V1_ROOT = "aml-v1-root"
    RPY2 = "rpy2"
    AML_ONLINE = "aml-online"


class _Declared(BaseModel):
    """What a file declares: a misspelt field is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Path = Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
Seconds = Annotated[float, Field(gt=0, le=120)]


class Route(_Declared):
    """A cheap route that says whether a service is there."""

    path: Path
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str | None = Field(
        default=None, description="Text that the answer holds, e.g. Healthy; case counts."
    )


class Expectation(_Declared):
    """One value of an answer, and how exactly it is expected.

    Numbers match within `absolute` + `relative` * |expected|, in vectors and tables, too. An R
    vector of length one equals its element; `null` stands for NA; factors are their labels; the
    order of columns does not count, the order of rows does.
    """

    at: str = Field(default="$", description="Where in the answer: a JSONPath (RFC 9535).")
    equals: JsonValue = Field(description="The value expected there: any JSON.")
    absolute: Annotated[float, Field(ge=0)] = Field(
        default=0, description="Absolute tolerance of numbers; plumber rounds to 4 digits: 5e-5."
    )
    relative: Annotated[float, Field(ge=0, lt=1)] = 0


class Golden(_Declared):
    """A request whose right answer is known: the only proof that the right model answers."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    method: Literal["GET", "POST"] = "GET"
    path: Path
    query: dict[str, str | int | float | bool] = Field(default_factory=dict)
    body: JsonValue = Field(default=None, description="JSON sent with POST.")
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _get_has_no_body(self) -> Self:
        if self.method == "GET" and self.body is not None:
            raise ValueError("a GET sends no body: use method POST, or query")
        return self


class Checks(_Declared):
    """How a service is checked. Routes that are not given come from the preset."""

    live: Route | None = None
    ready: Route | None = None
    golden: tuple[Golden, ...] = ()
    timeout_seconds: Seconds = Field(default=10, description="Per request, all of it.")
    latency_budget_seconds: Seconds = Field(
        default=2, description="A golden answer that takes longer is slow."
    )
    certificate_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=14, description="A TLS certificate with fewer days left is a failure."
    )
    max_response_bytes: Annotated[int, Field(ge=1, le=16_000_000)] = 1_000_000


class Thresholds(_Declared):
    """When a service is called unhealthy, and when healthy again. Counted in rounds."""

    failed_rounds: Annotated[int, Field(ge=1, le=20)] = 1
    of_last_rounds: Annotated[int, Field(ge=1, le=20)] = 1
    good_rounds: Annotated[int, Field(ge=1, le=20)] = 2
    busy_limit_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=900, description="Busy for longer than this is down, with evidence `hung`."
    )
    flapping_changes: Annotated[int, Field(ge=2, le=100)] = Field(
        default=6, description="So many changes within 24 rounds are flapping."
    )

    @model_validator(mode="after")
    def _window_holds_the_failures(self) -> Self:
        if self.failed_rounds > self.of_last_rounds:
            raise ValueError("failed_rounds is larger than of_last_rounds: it could never happen")
        return self


SecretName = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,127}$")]


class Credential(_Declared):
    """How a probe signs in: by exactly one of the first three fields."""

    secret: SecretName | None = Field(
        default=None, description="Name of the Key Vault secret that holds the key; never the key."
    )
    from_azure: Literal["key", "token"] | None = Field(
        default=None, description="The key (listKeys) or token that Azure gives out for it."
    )
    entra_audience: str | None = Field(
        default=None, description="Audience of an Entra token of the service principal."
    )
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Authorization"
    scheme: Annotated[str, Field(pattern=r"^[A-Za-z]{0,20}$")] = "Bearer"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.secret, self.from_azure, self.entra_audience]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of secret, from_azure and entra_audience")
        return self


class Service(_Declared):
    """One service. `url` is its base URL; `resource_id` its ARM id."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=63)]
    group: Annotated[str, Field(min_length=1, max_length=63)] = "default"
    owner: str | None = None
    kind: Kind
    url: Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")] | None = None
    resource_id: Annotated[str, Field(pattern=r"^/subscriptions/")] | None = None
    preset: Preset | None = None
    checks: Checks = Field(default_factory=Checks)
    thresholds: Thresholds = Field(default_factory=Thresholds)
    credential: Credential | None = None
