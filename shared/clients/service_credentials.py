"""Keys and tokens of scoring services: from Key Vault by name, from Azure, or from Entra ID.

A key goes to its own service only. What Azure gives out for a resource goes to the address that
Azure names for it; the secrets of the app itself go nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from shared.errors import AzureRequestError, CredentialError
from shared.scoring.address import Origin, is_sealed, origin_of
from shared.scoring.azure import ScoringAzure, ServiceKey
from shared.scoring.credential import Credential
from shared.scoring.credentials import SignIn
from shared.scoring.service import Kind, Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

# Nobody asks for the same key again sooner, whether it was refused or could not be had.
HOLD: Final = timedelta(seconds=30)
# A token this close to its end is not worth starting a round with.
MARGIN: Final = timedelta(minutes=5)
PATIENCE: Final = timedelta(seconds=30)

# Whence a key comes: the kind of source, and what it is asked for there.
Source = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A key, or why there is none; `origin` is where alone it may go, None: where it is declared."""

    at: datetime
    value: str = field(default="", repr=False)
    renew_after: datetime | None = None
    origin: Origin | None = None
    problem: str = ""
    unavailable: bool = False

    def serves(self, now: datetime, *, renew: bool) -> bool:
        if now - self.at < HOLD:
            return True
        if self.problem or renew:
            return False
        return self.renew_after is None or now < self.renew_after


@dataclass(kw_only=True)
class CredentialCache:
    """What one worker remembers between invocations. Never shown."""

    held: dict[Source, _Held] = field(default_factory=dict, repr=False)
    _locks: WeakKeyDictionary[Any, dict[Source, asyncio.Lock]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    def lock(self, source: Source) -> asyncio.Lock:
        """Return the running event loop's lock of a key: one at a time asks for it."""
        locks = self._locks.setdefault(asyncio.get_running_loop(), {})
        return locks.setdefault(source, asyncio.Lock())


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where keys come from; opened per invocation. `azure` is None for a kind that has none.

    `own_secrets` are the names of the app's own secrets in the same vault (SecretNames.every).
    """

    get_secret: Callable[[str], Awaitable[str]]
    azure: Mapping[Kind, ScoringAzure]
    entra: AsyncTokenCredential
    own_secrets: frozenset[str]


class ServiceCredentials:
    """Satisfies shared.scoring.credentials.Credentials, over the worker's cache."""

    def __init__(
        self, sources: Sources, *, cache: CredentialCache, now: Callable[[], datetime]
    ) -> None:
        self._sources = sources
        self._cache = cache
        self._now = now

    async def sign_in(self, service: Service, *, renew: bool = False) -> SignIn:
        """Return the header that holds a service's key; `renew`: the last one was refused."""
        credential = service.credential
        if credential is None:
            return SignIn()
        problem = _unsafe(service, credential)
        if problem or service.url is None:
            return SignIn(problem=problem)
        held = await self._held(service, credential, renew=renew)
        problem = held.problem or _misdirected(held, origin_of(service.url))
        if problem:
            return SignIn(problem=problem, unavailable=held.unavailable)
        return SignIn(headers={credential.header: f"{credential.scheme} {held.value}".strip()})

    async def _held(self, service: Service, credential: Credential, *, renew: bool) -> _Held:
        source = _source(service, credential)
        async with self._cache.lock(source):
            known = self._cache.held.get(source)
            # It may have moved, and Azure knows by now.
            moved = bool(known and service.url and _misdirected(known, origin_of(service.url)))
            if known and known.serves(self._now(), renew=renew or moved):
                return known
            found = await self._ask(service, credential)
            # A vault that is away for a moment takes nobody's key.
            if found.problem and known and known.value and not renew:
                found = replace(known, at=found.at)
            self._cache.held[source] = found
            return found

    async def _ask(self, service: Service, credential: Credential) -> _Held:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                if credential.secret is not None:
                    return await self._from_vault(credential.secret)
                if credential.entra_audience is not None:
                    return await self._from_entra(credential.entra_audience)
                return await self._from_azure(service, credential)
        except (AzureRequestError, CredentialError) as error:
            problem = f"its key cannot be had: {error}"
            return self._nothing(problem, unavailable=error.retryable)
        except TimeoutError:
            return self._nothing(
                f"its key cannot be had: no answer within {PATIENCE.total_seconds():.0f} s",
                unavailable=True,
            )

    async def _from_vault(self, name: str) -> _Held:
        # Names of secrets ignore case; this one would let a service act as the app in Azure.
        if name.lower() in self._sources.own_secrets:
            return self._nothing(
                f"Key Vault secret {name!r} is the app's own: it goes to no service"
            )
        return _Held(at=self._now(), value=await self._sources.get_secret(name))

    async def _from_entra(self, audience: str) -> _Held:
        scope = audience if audience.endswith("/.default") else f"{audience}/.default"
        token = await self._sources.entra.get_token(scope)
        return _Held(at=self._now(), value=token.token, renew_after=self._now() + MARGIN)

    async def _from_azure(self, service: Service, credential: Credential) -> _Held:
        azure = self._sources.azure.get(service.kind)
        resource_id = service.resource_id or ""
        if azure is None:
            return self._nothing(f"Azure gives out no keys for kind {service.kind}")
        deadline = self._now() + PATIENCE
        found = await azure.get_service(resource_id, deadline=deadline)
        if not found.scoring_uri:
            return self._nothing("Azure names no address for it, so its key goes nowhere")
        get = azure.get_key if credential.from_azure == "key" else azure.get_token
        key = await get(resource_id, deadline=deadline)
        return _Held(
            at=self._now(),
            value=key.value,
            renew_after=_renew_after(key),
            origin=origin_of(found.scoring_uri),
        )

    def _nothing(self, problem: str, *, unavailable: bool = False) -> _Held:
        return _Held(at=self._now(), problem=problem, unavailable=unavailable)


def _unsafe(service: Service, credential: Credential) -> str:
    """Say why nothing may be sent to where a service is, empty if it may."""
    if service.url is None:
        return "its address is not known, so its key goes nowhere"
    if not (is_sealed(service.url) or credential.allow_plain_http):
        return "its key would travel over http:// without allow_plain_http"
    return ""


def _misdirected(held: _Held, origin: Origin) -> str:
    if held.problem:
        return ""
    if held.origin and held.origin != origin:
        return "Azure names another address for it: its key is not sent here"
    if not _fits_a_header(held.value):
        return "its key is empty, or holds what no header may hold"
    return ""


def _source(service: Service, credential: Credential) -> Source:
    if credential.secret is not None:
        return "secret", credential.secret.lower()
    if credential.entra_audience is not None:
        return "entra", credential.entra_audience
    return f"azure {credential.from_azure}", (service.resource_id or "").lower()


def _renew_after(key: ServiceKey) -> datetime | None:
    if key.refresh_after is not None:
        return key.refresh_after
    return key.expires_at - MARGIN if key.expires_at else None


def _fits_a_header(value: str) -> bool:
    """RFC 9110, 5.5: what is visible, and blanks between."""
    return bool(value) and value.isascii() and value.isprintable()
