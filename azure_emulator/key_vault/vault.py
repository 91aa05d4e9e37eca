"""A vault: named secrets, each with versions, and who may read them. State, no HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from azure_emulator.entra.directory import MANAGED_IDENTITY_OBJECT_ID, utc_now

PEM = "application/x-pem-file"
PKCS12 = "application/x-pkcs12"


@dataclass(frozen=True, kw_only=True)
class SecretSeed:
    """A secret as a seed or the control plane gives it; times are aware."""

    name: str
    value: str = field(repr=False)
    content_type: str | None = None
    enabled: bool = True
    not_before: datetime | None = None
    expires_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VaultSeed:
    """What a vault holds at start; `readers` are object ids, `forbidden` secrets none may read."""

    name: str = "kv-aml-ops"
    secrets: tuple[SecretSeed, ...] = ()
    readers: frozenset[str] = frozenset({MANAGED_IDENTITY_OBJECT_ID})
    forbidden: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """One version of a secret; `version` is 32 hexadecimal digits as in Key Vault."""

    version: str
    secret: SecretSeed
    created_at: datetime
    updated_at: datetime

    def attributes(self) -> dict[str, Any]:
        """Write the attributes as the data plane does: times in whole Unix seconds."""
        moments = {
            "nbf": self.secret.not_before,
            "exp": self.secret.expires_at,
            "created": self.created_at,
            "updated": self.updated_at,
        }
        known = {name: int(at.timestamp()) for name, at in moments.items() if at is not None}
        return {
            "enabled": self.secret.enabled,
            **known,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        }


class Vault:
    """The vault of one emulator. Secret names ignore case, as in Key Vault."""

    def __init__(
        self, seed: VaultSeed | None = None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.now = now
        self.load(seed or VaultSeed())

    def load(self, seed: VaultSeed) -> None:
        """Become what the seed says."""
        self.name = seed.name
        self.readers = seed.readers
        self.forbidden = frozenset(name.lower() for name in seed.forbidden)
        self._versions: dict[str, list[SecretVersion]] = {}
        for secret in seed.secrets:
            self.set_secret(secret)

    def may_read(self, object_id: str, name: str | None = None) -> bool:
        """Tell whether a principal may read this secret, or, without a name, list them."""
        return object_id in self.readers and (name or "").lower() not in self.forbidden

    def set_secret(self, secret: SecretSeed) -> SecretVersion:
        """Add a version, which becomes the latest: a rotation."""
        version = SecretVersion(
            version=uuid4().hex, secret=secret, created_at=self.now(), updated_at=self.now()
        )
        self._versions.setdefault(secret.name.lower(), []).append(version)
        return version

    def update(self, name: str, **attributes: Any) -> SecretVersion:
        """Change attributes of the latest version (SecretSeed's fields). Raises KeyError."""
        versions = self._versions[name.lower()]
        changed = replace(versions[-1].secret, **attributes)
        versions[-1] = replace(versions[-1], secret=changed, updated_at=self.now())
        return versions[-1]

    def delete(self, name: str) -> None:
        """Forget a secret with all its versions. Raises KeyError."""
        del self._versions[name.lower()]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._versions))

    def versions(self, name: str) -> tuple[SecretVersion, ...]:
        """List a secret's versions, oldest first; empty where there is no such secret."""
        return tuple(self._versions.get(name.lower(), ()))

    def find(self, name: str, version: str = "") -> SecretVersion | None:
        """Find a version, the latest by default; None where there is none."""
        versions = self.versions(name)
        if not version:
            return versions[-1] if versions else None
        return next((known for known in versions if known.version == version), None)
