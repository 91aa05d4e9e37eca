"""Every setting of the app, declared once and parsed at the door. All problems are told together.

Only shared/bootstrap.py calls `read_settings`; nothing else knows names of settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from shared.clouds import ENDPOINTS, Cloud, CloudEndpoints
from shared.errors import SettingsError
from shared.scoring.service import KNOWN_TO_AZURE, Kind
from shared.setting_values import (
    Bucket,
    check_https,
    check_schedule,
    check_service_file,
    parse_buckets,
    parse_kinds,
)

Url = Annotated[str, AfterValidator(check_https)]


class Settings(BaseModel):
    """One field per app setting; the alias is its name. docs/settings.md is tested against it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key_vault_url: Url = Field(
        alias="KEY_VAULT_URL", description="The vault that holds the service principal."
    )
    service_principal_prefix: Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{1,100}$")] = Field(
        default="aml-ops",
        alias="SERVICE_PRINCIPAL_PREFIX",
        description="Prefix of its secrets: `<prefix>-tenant-id`, `-client-id`, and "
        "`-client-secret` or `-client-certificate`.",
    )
    managed_identity_client_id: str | None = Field(
        default=None,
        alias="MANAGED_IDENTITY_CLIENT_ID",
        description="Client id of a user-assigned identity that reads the vault; unset: the "
        "system-assigned one.",
    )
    cloud: Cloud = Field(
        default=Cloud.PUBLIC,
        alias="AZURE_CLOUD",
        description="`AzureCloud`, `AzureUSGovernment` or `AzureChinaCloud`; gives the endpoints "
        "below their defaults.",
    )
    authority_host: Url | None = Field(
        default=None, alias="AZURE_AUTHORITY_HOST", description="Entra ID; default by cloud."
    )
    resource_manager_url: Url | None = Field(
        default=None,
        alias="AZURE_RESOURCE_MANAGER_URL",
        description="Azure Resource Manager; default by cloud.",
    )
    arm_api_version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(-preview)?$")] = Field(
        default="2025-12-01",
        alias="ARM_API_VERSION",
        description="api-version of Microsoft.MachineLearningServices.",
    )
    arm_buckets: Annotated[dict[str, Bucket], BeforeValidator(parse_buckets)] = Field(
        default_factory=dict,
        alias="ARM_BUCKETS",
        validate_default=True,
        description="Token buckets to stay under, e.g. `reads=250:25,writes=200:10`; default: "
        "Azure's documented sizes.",
    )
    arm_buckets_grow: bool = Field(
        default=False,
        alias="ARM_BUCKETS_AUTO",
        description="Believe Azure where it says that more requests remain than we count.",
    )
    arm_max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        alias="ARM_MAX_IN_FLIGHT",
        description="Most requests to Azure Resource Manager that one worker has in flight; "
        "default: what the buckets allow.",
    )
    run_deadline_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=1500,
        alias="RUN_DEADLINE_SECONDS",
        description="Deadline of a timer's run; keep it 60 s or more below host.json's "
        "functionTimeout.",
    )
    poll_seconds: Annotated[float, Field(ge=0.1, le=300)] = Field(
        default=5,
        alias="POLL_SECONDS",
        description="Between two lists of a workspace with instances on their way.",
    )
    stop_patience_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=60,
        alias="STOP_PATIENCE_SECONDS",
        description="How long an accepted stop may show no effect before its operation is read.",
    )
    default_schedule: Annotated[str, AfterValidator(check_schedule)] = Field(
        default="Mon-Sun 06:00-22:00 UTC",
        alias="DEFAULT_SCHEDULE",
        description="When machines may be up whose owners say nothing: windows, `always` or `none`.",
    )
    late_start_hours: Annotated[float, Field(ge=0, le=168)] = Field(
        default=2,
        alias="LATE_START_HOURS",
        description="How long a machine stays up that a user started after its window closed.",
    )
    min_uptime_minutes: Annotated[float, Field(ge=0, le=10_080)] = Field(
        default=0,
        alias="MIN_UPTIME_MINUTES",
        description="How long a machine stays up after any start.",
    )
    job_deadline_hours: Annotated[float, Field(ge=0, le=720)] = Field(
        default=12,
        alias="JOB_DEADLINE_HOURS",
        description="How long a running job may go on after the window closed.",
    )
    stop_overdue_jobs: bool = Field(
        default=False,
        alias="STOP_OVERDUE_JOBS",
        description="Stop a job past that deadline; else it is left and told as an event.",
    )
    stop_job_running: bool = Field(
        default=False,
        alias="STOP_JOB_RUNNING",
        description="Stop instances that are running a job, too.",
    )
    cluster_off_hours: bool = Field(
        default=False,
        alias="CLUSTER_OFF_HOURS",
        description="Scale clusters with a minimum above 0 to no node outside their window, once "
        "none is busy; they get it back when the window opens. Needs a storage account.",
    )
    storage: SecretStr | None = Field(
        default=None,
        alias="AzureWebJobsStorage",
        description="Connection string of the app's own storage account: history, exemptions, "
        "claims of stops.",
    )
    storage_account: Annotated[str | None, Field(pattern=r"^[a-z0-9]{3,24}$")] = Field(
        default=None,
        alias="AzureWebJobsStorage__accountName",
        description="Instead of a connection string: the account, reached with the managed "
        "identity (Storage Table and Queue Data Contributor).",
    )
    history_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=90,
        alias="HISTORY_DAYS",
        description="How long runs are kept, and services that neither file nor Azure names any more.",
    )
    exemption_max_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, alias="EXEMPTION_MAX_DAYS", description="The longest exemption."
    )
    sign_in: bool = Field(
        default=False,
        alias="WEBSITE_AUTH_ENABLED",
        description="Azure sets it to `True` where App Service authentication is on: only then is "
        "its caller's identity believed, as `claimed_by` of an exemption.",
    )
    shutdown_schedule: str | None = Field(
        default=None,
        alias="SHUTDOWN_SCHEDULE",
        description="When the timer ticks, six NCronTab fields in UTC; read by the host, too.",
    )
    connection_string: SecretStr | None = Field(
        default=None,
        alias="APPLICATIONINSIGHTS_CONNECTION_STRING",
        description="Application Insights; without it the app runs the same and says nothing.",
    )
    export_logs: bool = Field(
        default=False,
        alias="PYTHON_ENABLE_OPENTELEMETRY",
        description="Tells the worker that the app exports its own logs, so that the host does "
        "not send them a second time. `true` on Python 3.13.",
    )
    scoring_services: Annotated[str, AfterValidator(check_service_file)] | None = Field(
        default=None,
        alias="SCORING_SERVICES",
        description="The file of scoring services: a path in the app, or the URL of a blob "
        "(without SAS; Storage Blob Data Reader). See docs/scoring-services.md.",
    )
    scoring_discovery: Annotated[frozenset[Kind], BeforeValidator(parse_kinds)] = Field(
        default=frozenset(KNOWN_TO_AZURE),
        alias="SCORING_DISCOVERY",
        description="Which services are looked for in all workspaces, besides those of the file: "
        "`aml-online`, `aml-v1`, both (`aml-online,aml-v1`) or `none`.",
    )
    scoring_schedule: str | None = Field(
        default=None,
        alias="SCORING_SCHEDULE",
        description="When services are checked, six NCronTab fields in UTC; read by the host.",
    )
    scoring_deadline_seconds: Annotated[int, Field(ge=10, le=3600)] = Field(
        default=240,
        alias="SCORING_DEADLINE_SECONDS",
        description="Deadline of a round of health checks; keep it below the time between two.",
    )
    redeploy_cooldown_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=600,
        alias="SCORING_REDEPLOY_COOLDOWN_SECONDS",
        description="Between two redeploys of a service; it doubles between those that the app "
        "begins by itself.",
    )
    redeploy_budget: Annotated[int, Field(ge=1, le=100)] = Field(
        default=6,
        alias="SCORING_REDEPLOY_BUDGET",
        description="Redeploys of one service within 24 hours.",
    )
    redeploy_breaker_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5,
        alias="SCORING_REDEPLOY_BREAKER_SHARE",
        description="While a larger share of services (two at least) became unhealthy within a day, "
        "none is redeployed.",
    )
    region: str = Field(
        default="local",
        alias="REGION_NAME",
        description="Where services are checked from, in availability results; Azure sets it.",
    )
    role_name: str = Field(
        default="aml-r-ops",
        alias="WEBSITE_SITE_NAME",
        description="Cloud role in Application Insights; Azure sets it to the app's name.",
    )

    @property
    def scoring_deadline(self) -> timedelta:
        """How long a round of health checks may take."""
        return timedelta(seconds=self.scoring_deadline_seconds)

    @property
    def endpoints(self) -> CloudEndpoints:
        """The cloud's endpoints."""
        return ENDPOINTS[self.cloud]

    @property
    def authority(self) -> str:
        """Entra ID."""
        return self.authority_host or self.endpoints.authority

    @property
    def arm_endpoint(self) -> str:
        """Azure Resource Manager."""
        return self.resource_manager_url or self.endpoints.resource_manager

    @property
    def arm_scope(self) -> str:
        """The audience is the cloud's, wherever its endpoint is reached (a private link, a proxy)."""
        return f"{self.endpoints.resource_manager}/.default"

    @property
    def vault_in_cloud(self) -> bool:
        """Whether the vault lies under the cloud's DNS suffix, so that its challenge can be checked."""
        host = urlsplit(self.key_vault_url).hostname or ""
        return host.endswith(self.endpoints.vault_suffix)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Parse an environment. An empty value counts as unset.

    Raises SettingsError listing every setting that is missing or wrong, without its value.
    """
    given: dict[str, Any] = {name: value for name, value in environment.items() if value.strip()}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [
            _problem(".".join(str(part) for part in each["loc"]), each["type"], each["msg"])
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise SettingsError(problems) from None


def _problem(name: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"{name} is not set"
    plain = message.removeprefix("Value error, ")
    return f"{name} is wrong: {plain[:1].lower()}{plain[1:]}"
