"""What answers scoring requests: v2 online endpoints and v1 web services, with keys and tokens.

Keys are made anew with every estate and are shown by nothing but the routes that hand them out.
"""

import hmac
import secrets
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from azure_emulator.scoring_seed import (
    ALL_TRAFFIC,
    Answering,
    AssetSeed,
    OnlineDeploymentSeed,
    OnlineEndpointSeed,
    WebServiceSeed,
)

PREFIX = "/scoring"
_NAMESPACE = uuid.UUID("3b0f6c1e-8a44-4f0d-9c53-7d2e60a1f985")
# Coprime to 100: a hundred requests visit each percent once, and shares are mixed early on.
_STRIDE = 37
# When a token's holder should ask for the next one.
_REFRESH_AFTER = 2 / 3


class SignIn(StrEnum):
    """What a caller shows behind `Bearer`; AML_TOKEN is Azure ML's own."""

    NONE = "none"
    KEY = "Key"
    AML_TOKEN = "AMLToken"  # noqa: S105  # the name of a kind
    ENTRA_TOKEN = "AADToken"  # noqa: S105  # likewise


@dataclass(frozen=True, kw_only=True)
class ScoringToken:
    """A token of Azure ML's own. Moments are Unix seconds."""

    value: str = field(repr=False)
    refresh_after: int
    expires_at: int


class Credentials:
    """The two keys of an endpoint or a service, and the tokens that it was asked for."""

    def __init__(self, *, token_lifetime_seconds: float) -> None:
        self.primary = secrets.token_urlsafe(24)
        self.secondary = secrets.token_urlsafe(24)
        self._lifetime = token_lifetime_seconds
        self._expiries: dict[str, float] = {}

    def regenerate(self, *, primary: bool, value: str | None) -> None:
        """Replace one of the keys, by a value of the caller's or a new one."""
        key = value or secrets.token_urlsafe(24)
        if primary:
            self.primary = key
        else:
            self.secondary = key

    def has_key(self, value: str) -> bool:
        return any(_same(value, key) for key in (self.primary, self.secondary))

    def has_token(self, value: str, *, now: float) -> bool:
        """Whether it is a token given out here that has not expired."""
        return any(_same(value, each) and now < at for each, at in self._expiries.items())

    def new_token(self, *, now: float) -> ScoringToken:
        token = ScoringToken(
            value=secrets.token_urlsafe(48),
            refresh_after=int(now + self._lifetime * _REFRESH_AFTER),
            expires_at=int(now + self._lifetime),
        )
        known = {value: at for value, at in self._expiries.items() if now < at}
        self._expiries = known | {token.value: now + self._lifetime}
        return token


class OnlineEndpoint:
    """A v2 endpoint, with percents by deployment in lower case.

    `shares` is how traffic is divided, `traffic` how it is to be once an update is complete. What is
    made or changed replaces the seed that says it. `operation_uri`: where its last update is told.
    """

    def __init__(
        self,
        seed: OnlineEndpointSeed,
        *,
        workspace_id: str,
        location: str,
        assets: Sequence[AssetSeed] = (),
    ) -> None:
        self.seed = seed
        self.id = f"{workspace_id}/onlineEndpoints/{seed.name}"
        self.workspace_id = workspace_id
        self.location = location
        self.guid = guid_of(self.id)
        self.credentials = Credentials(token_lifetime_seconds=seed.token_lifetime_seconds)
        self.assets = assets
        self.shares: Mapping[str, int] = seed.shares()
        self.traffic = self.shares
        self.operation_uri = ""
        self.deployments = {
            each.name.lower(): with_content(each, self.asset_of(each)) for each in seed.deployments
        }
        self.requests = 0
        self.asked: Counter[str] = Counter()

    @property
    def root(self) -> str:
        return f"{PREFIX}/{self.guid}"

    @property
    def sign_in(self) -> SignIn:
        return SignIn(self.seed.auth_mode)

    def scoring_uri(self, base_url: str) -> str:
        return self.seed.scoring_uri or f"{base_url}{self.root}/score"

    def choose(self, wanted: str | None) -> OnlineDeploymentSeed | None:
        """The deployment that answers: the one asked for by name, or by its share of traffic."""
        self.requests += 1
        name = self._by_share() if wanted is None else wanted.lower()
        self.asked[name] += 1
        return self.deployments.get(name)

    def asset_of(self, deployment: OnlineDeploymentSeed) -> AssetSeed | None:
        """What the seed says of its model, or else of its environment."""
        named = {asset.name: asset for asset in self.assets}
        return named.get(deployment.model or "") or named.get(deployment.environment or "")

    def _by_share(self) -> str:
        place = (self.requests * _STRIDE) % ALL_TRAFFIC
        for name, share in self.shares.items():
            place -= share
            if place < 0:
                return name
        return ""


class WebService:
    """A v1 web service."""

    def __init__(
        self,
        seed: WebServiceSeed,
        *,
        workspace_id: str,
        location: str,
        at: float,
        assets: Sequence[AssetSeed] = (),
    ) -> None:
        self.assets = {asset.name: asset for asset in assets}
        asset = self.asset_of(seed)
        has_own = bool(asset is None or seed.answers or seed.backend)
        self.seed = seed if asset is None or has_own else seed.model_copy(update=asset.content())
        self.operation_id: str | None = None
        self.digests = {seed.image: seed.image_digest}
        self.id = f"{workspace_id}/services/{seed.name}"
        self.workspace_id = workspace_id
        self.location = location
        self.created_at = seed.created_at.timestamp() if seed.created_at else at - 45 * 86400
        self.guid = guid_of(self.id)
        self.credentials = Credentials(token_lifetime_seconds=seed.token_lifetime_seconds)
        self.requests = 0

    @property
    def root(self) -> str:
        """Where the container's root is: a front end serves all services of a cluster."""
        if self.seed.compute_type == "AKS":
            return f"{PREFIX}/{self.guid}/api/v1/service/{self.seed.name}"
        return f"{PREFIX}/{self.guid}"

    @property
    def sign_in(self) -> SignIn:
        if self.seed.auth_enabled:
            return SignIn.KEY
        return SignIn.AML_TOKEN if self.seed.token_auth_enabled else SignIn.NONE

    def scoring_uri(self, base_url: str) -> str:
        return self.seed.scoring_uri or f"{base_url}{self.root}/score"

    def asset_of(self, wanted: WebServiceSeed) -> AssetSeed | None:
        """What the workspace's seed says of its image, or else of its first model."""
        names = (wanted.image or "", *wanted.models)
        return next((self.assets[name] for name in names if name in self.assets), None)

    def choose(self, _wanted: str | None) -> Answering:
        """It is the one that answers."""
        self.requests += 1
        return self.seed


Scored = OnlineEndpoint | WebService


def with_content(deployment: OnlineDeploymentSeed, asset: AssetSeed | None) -> OnlineDeploymentSeed:
    """Return a deployment that answers as its asset does, unless it has answers of its own."""
    if asset is None or deployment.answers or deployment.backend:
        return deployment
    return deployment.model_copy(update=asset.content())


def guid_of(resource_id: str) -> str:
    """What stands for a resource in the URIs of scoring."""
    return str(uuid.uuid5(_NAMESPACE, resource_id.lower()))


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
