"""A scoring service as its platform team declares it: where it is, how it is checked, who owns it.

The models are the file format, too: the JSON Schema in docs/ is generated from them, and so are the
tables of docs/scoring-services.md. Nothing here is secret: credentials are *names* of Key Vault
secrets, or come from Azure.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from shared.scoring.aci import Aci, ContainerOfService
from shared.scoring.address import check_base_url, check_path, is_sealed
from shared.scoring.aks import Aks, DeploymentOfService
from shared.scoring.credential import Credential
from shared.scoring.declared import Declared
from shared.scoring.json_path import MAX_LENGTH, compile_path
from shared.scoring.key_material import Query, check_query
from shared.scoring.kind import KNOWN_TO_AZURE, RESOURCE_IDS, Kind
from shared.scoring.r_version import DeclaredRVersion
from shared.scoring.runs_on import RunsOn, platform_problems
from shared.scoring.self_care import (
    FollowTag,
    RestartSchedule,
    SelfHeal,
    SelfHealing,
    follow_problem,
)

__all__ = [
    "KNOWN_TO_AZURE",
    "RESOURCE_IDS",
    "Aci",
    "Aks",
    "Checks",
    "Credential",
    "Expectation",
    "Golden",
    "Kind",
    "Preset",
    "Route",
    "SelfHeal",
    "Service",
    "Thresholds",
]


class Preset(StrEnum):
    """Conventions of a server: its cheap routes, and how its answers are wrapped."""

    PLUMBER = "plumber"
    VETIVER = "vetiver"
    AML_V1_ROOT = "aml-v1-root"
    RPY2 = "rpy2"
    AML_ONLINE = "aml-online"


def _jsonpath(text: str) -> str:
    compile_path(text)
    return text


Path = Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$"), AfterValidator(check_path)]
Seconds = Annotated[float, Field(gt=0, le=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JsonPathText = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_LENGTH), AfterValidator(_jsonpath)
]


class Route(Declared):
    """A cheap route that says whether a service is there."""

    path: Path = Field(description="Path below the service's `url`.")
    status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        default=200,
        description="The status that is expected; `null`: any below 500, where all that counts "
        "is that somebody answers.",
    )
    contains: Text | None = Field(
        default=None, description="Text that the answer holds, e.g. `Healthy`; case counts."
    )

    def accepts(self, status: int) -> bool:
        """Whether an answer of this status is a good one."""
        return status < 500 if self.status is None else status == self.status  # noqa: PLR2004  # HTTP


class Expectation(Declared):
    """One value of an answer, and how exactly it is expected.

    Numbers match within `absolute` + `relative` * |expected|, in vectors and tables, too. An R
    vector of length one equals its element; `null` stands for NA; factors are their labels; the
    order of columns does not count, the order of rows does.
    """

    at: JsonPathText = Field(default="$", description="Where in the answer: a JSONPath (RFC 9535).")
    equals: JsonValue = Field(description="The value expected there: any JSON.")
    absolute: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0,
        description="Absolute tolerance of numbers; plumber rounds to 4 digits: `5e-5`.",
    )
    relative: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0, description="Relative tolerance of numbers, a share of the expected value."
    )


class Golden(Declared):
    """A request whose right answer is known: the only proof that the right model answers."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="What it is called in reports; once per service."
    )
    method: Literal["GET", "POST"] = Field(default="GET", description="`GET` or `POST`.")
    path: Path = Field(description="Path below the service's `url`.")
    query: Annotated[Query, AfterValidator(check_query)] = Field(
        default_factory=dict,
        description="Parameters of the query. They are no secret: no keys here.",
    )
    body: JsonValue = Field(default=None, description="JSON sent with POST.")
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1, max_length=100)] = Field(
        description="What is expected of the answer: all of it must hold."
    )

    @model_validator(mode="after")
    def _get_has_no_body(self) -> Self:
        if self.method == "GET" and self.body is not None:
            raise ValueError("a GET sends no body: use method POST, or query")
        return self


class Checks(Declared):
    """How a service is checked. Routes that are not given come from the preset."""

    live: Route | None = Field(
        default=None, description="Cheap route that tells that the service is there."
    )
    ready: Route | None = Field(
        default=None, description="Cheap route that tells that its model is loaded."
    )
    golden: Annotated[tuple[Golden, ...], Field(max_length=20)] = Field(
        default=(), description="Requests with known answers, sent one after another."
    )
    timeout_seconds: Seconds = Field(
        default=10,
        description="Seconds for one request, all of it. Redeploys need 40 or less.",
    )
    latency_budget_seconds: Seconds = Field(
        default=2, description="Seconds; a golden answer that takes longer is slow."
    )
    certificate_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=14, description="A TLS certificate with fewer days left is a failure."
    )
    max_response_bytes: Annotated[int, Field(ge=1, le=16_000_000)] = Field(
        default=1_000_000, description="No more than this is read of an answer."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [each.name for each in self.golden]
        if len(set(names)) < len(names):
            raise ValueError("two golden requests have the same name")
        return self


class Thresholds(Declared):
    """When a service is called unhealthy, and when healthy again. Counted in rounds."""

    failed_rounds: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1, description="So many failed rounds make it unhealthy ..."
    )
    of_last_rounds: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1, description="... of so many last ones."
    )
    good_rounds: Annotated[int, Field(ge=1, le=20)] = Field(
        default=2, description="So many good rounds in a row make it healthy again."
    )
    busy_limit_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=900, description="Seconds; busy for longer is down, with evidence `hung`."
    )
    flapping_changes: Annotated[int, Field(ge=2, le=100)] = Field(
        default=6, description="So many changes within 24 rounds are flapping."
    )

    @model_validator(mode="after")
    def _window_holds_the_failures(self) -> Self:
        if self.failed_rounds > self.of_last_rounds:
            raise ValueError("failed_rounds is larger than of_last_rounds: it could never happen")
        return self


class Service(Declared):
    """One service. Its address is `url`, or for AML kinds what Azure says of `resource_id`."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=63)] = (
        Field(description="Unique; lower-case letters, digits and single hyphens.")
    )
    group: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        default="default", description="Services that belong together."
    )
    owner: Text | None = Field(default=None, description="Whom to ask.")
    kind: Kind = Field(description="What runs it: " + ", ".join(f"`{each}`" for each in Kind) + ".")
    url: (
        Annotated[
            str,
            StringConstraints(max_length=1000),
            AfterValidator(check_base_url),
            Field(json_schema_extra={"pattern": "^https?://[^\\s@?#]+$"}),
        ]
        | None
    ) = Field(
        default=None,
        description="Base URL, below which the paths of checks lie. Kinds `aml-v1` and "
        "`aml-online` may give `resource_id` instead.",
    )
    resource_id: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        default=None, description="ARM id of what runs it; not for kind `http`."
    )
    preset: Preset | None = Field(
        default=None,
        description="Conventions of its server: "
        + ", ".join(f"`{each}`" for each in Preset)
        + "; `aml-v1` and `aml-online` have theirs without it.",
    )
    checks: Checks = Field(default_factory=Checks, description="How it is checked.")
    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="When it is called unhealthy."
    )
    credential: Credential | None = Field(
        default=None, description="How a probe signs in; without it: not at all."
    )
    aks: DeploymentOfService = None
    aci: ContainerOfService = None
    runs_on: RunsOn = None
    r_version: DeclaredRVersion = None
    self_heal: SelfHealing = SelfHeal.OFF
    restart_schedule: RestartSchedule = None
    follow_tag: FollowTag = False

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        problems = [*self._address_problems(), *self._credential_problems()]
        if self.follow_tag and (problem := self._follow_problem()):
            problems.append(problem)
        problems += platform_problems(self)
        if self.kind is Kind.HTTP and (self.self_heal is not SelfHeal.OFF or self.restart_schedule):
            problems.append("kind http cannot be restarted: no self_heal, no restart_schedule")
        checks = self.checks
        known = self.preset or self.kind in KNOWN_TO_AZURE
        if not (known or checks.live or checks.ready or checks.golden):
            problems.append("nothing would be checked: give a preset, a live route or golden")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _follow_problem(self) -> str:
        on_cluster = self.kind is not Kind.AKS or self.aks is not None
        return follow_problem(self.kind, is_movable=on_cluster and self.resource_id is not None)

    def _address_problems(self) -> list[str]:
        problems = []
        if self.url is None and (self.kind not in KNOWN_TO_AZURE or self.resource_id is None):
            either = " or resource_id" if self.kind in KNOWN_TO_AZURE else ""
            problems.append(f"kind {self.kind} needs url{either}")
        if self.resource_id is not None:
            wanted = RESOURCE_IDS.get(self.kind)
            if wanted is None:
                problems.append(f"resource_id means nothing for kind {self.kind}")
            elif not re.fullmatch(wanted, self.resource_id, re.IGNORECASE):
                shape = re.sub(r"\[[^\]]*\][+\d{}]*", "*", wanted).replace("\\", "")
                problems.append(f"resource_id of kind {self.kind} must look like {shape}")
        return problems

    def _credential_problems(self) -> list[str]:
        credential = self.credential
        if credential is None:
            return []
        problems = []
        if credential.from_azure and (self.kind not in KNOWN_TO_AZURE or not self.resource_id):
            problems.append("from_azure needs kind aml-v1 or aml-online, and resource_id")
        if self.url and not (is_sealed(self.url) or credential.allow_plain_http):
            problems.append(
                "a credential over http:// can be read on the way: use https, or say "
                "allow_plain_http: true"
            )
        return problems
