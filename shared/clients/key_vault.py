"""The service principal kept in Key Vault, as a credential for azure-core pipelines.

The app's own managed identity may do one thing: read these secrets. Everything else is done by
the service principal they describe. A rotated secret heals without a restart.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from shared.clients.service_principal import RefusedError, ServicePrincipal, request_token
from shared.clients.vault_secrets import CredentialSource, read_service_principal
from shared.errors import CredentialError
from shared.telemetry import Event, Telemetry

__all__ = ["CredentialSource", "ServicePrincipalCache", "ServicePrincipalCredential"]

logger = logging.getLogger(__name__)

REREAD_INTERVAL: Final = timedelta(minutes=1)
# How long nobody is asked again after an outage of the vault or of Entra ID.
OUTAGE_HOLD: Final = timedelta(seconds=5)
EXPIRY_NOTICE: Final = timedelta(days=30)
# A token this close to its end is not worth starting a request with.
TOKEN_MARGIN: Final = timedelta(minutes=5)


@dataclass(kw_only=True)
class ServicePrincipalCache:
    """What one worker remembers between runs: plain data, no connection, no event loop's own."""

    principal: ServicePrincipal | None = None
    tokens: dict[tuple[str, ...], AccessTokenInfo] = field(default_factory=dict, repr=False)
    reread_at: datetime | None = None
    notice_given_on: date | None = None
    unknown_expiry_said: bool = False
    _locks: WeakKeyDictionary[Any, asyncio.Lock] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    def lock(self) -> asyncio.Lock:
        """Return the lock of the running event loop: one at a time reads and signs in."""
        return self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def token(self, scopes: tuple[str, ...], *, now: datetime) -> AccessTokenInfo | None:
        """Return an access token that is good for a while."""
        known = self.tokens.get(scopes)
        if known is None or known.expires_on <= (now + TOKEN_MARGIN).timestamp():
            return None
        return known

    def replace(self, principal: ServicePrincipal) -> None:
        """Remember a principal; tokens of another one go."""
        self.principal = principal
        self.tokens.clear()


@dataclass(frozen=True, kw_only=True)
class _Failure:
    at: datetime
    message: str
    retryable: bool


class ServicePrincipalCredential:
    """An AsyncTokenCredential that signs in as the service principal.

    Make one for each run, over the worker's cache. A failure is remembered for a minute, an outage
    for seconds: many requests at once do not each ask a vault or an Entra ID that just said no.
    """

    def __init__(
        self,
        *,
        source: CredentialSource,
        cache: ServicePrincipalCache,
        telemetry: Telemetry,
        now: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._cache = cache
        self._telemetry = telemetry
        self._now = now
        self._failure: _Failure | None = None
        # Its warnings quote an answer that it cannot read, token and all; our errors say the rest.
        logging.getLogger("azure.identity").setLevel(logging.ERROR)

    async def get_token(
        self, *scopes: str, claims: str | None = None, **kwargs: Any
    ) -> AccessToken:
        """Return an access token. Raises CredentialError."""
        options: TokenRequestOptions = {"claims": claims} if claims else {}
        del kwargs  # another tenant or continuous access evaluation: not for this principal
        token = await self.get_token_info(*scopes, options=options)
        return AccessToken(token.token, token.expires_on)

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return an access token, a remembered one where it is good. Raises CredentialError."""
        async with self._cache.lock():
            known = self._cache.token(scopes, now=self._now())
            if known and not (options or {}).get("claims"):
                return known
            self._raise_remembered()
            try:
                token = await self._sign_in(scopes, options)
            except CredentialError as error:
                self._failure = _Failure(
                    at=self._now(), message=str(error), retryable=error.retryable
                )
                raise
            self._cache.tokens[scopes] = token
            return token

    async def close(self) -> None:
        """Hold nothing: connections are closed with the request that needed them."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _raise_remembered(self) -> None:
        failure = self._failure
        hold = OUTAGE_HOLD if failure and failure.retryable else REREAD_INTERVAL
        if failure and self._now() - failure.at < hold:
            raise CredentialError(failure.message, retryable=failure.retryable)

    async def _sign_in(
        self, scopes: tuple[str, ...], options: TokenRequestOptions | None
    ) -> AccessTokenInfo:
        principal = await self._principal()
        ask = partial(
            request_token, authority=self._source.authority, scopes=scopes, options=options
        )
        try:
            return await ask(principal)
        except RefusedError:
            renewed = await self._reread(principal)
            if renewed is None:
                raise
        return await ask(renewed)

    async def _principal(self) -> ServicePrincipal:
        """Return the principal known here, read if need be; tell when it expires soon."""
        principal = self._cache.principal
        if principal is None:
            principal = await read_service_principal(self._source)
            self._cache.replace(principal)
        elif self._notice_due(principal):
            # Before an operator is told to rotate it: perhaps that is done.
            with suppress(CredentialError):
                principal = await self._reread(principal) or principal
        self._give_notice(principal)
        return principal

    async def _reread(self, known: ServicePrincipal) -> ServicePrincipal | None:
        """Read the vault again, at most once a minute; None where that changes nothing."""
        now = self._now()
        if self._cache.reread_at and now - self._cache.reread_at < REREAD_INTERVAL:
            return None
        self._cache.reread_at = now
        renewed = await read_service_principal(self._source)
        if renewed == known:
            return None
        self._cache.replace(renewed)
        self._telemetry.event(
            Event.CREDENTIAL_REFRESHED,
            vault_secret=renewed.vault_secret,
            kind=renewed.kind,
            expires_at=_iso(renewed.expires_at),
        )
        return renewed

    def _notice_due(self, principal: ServicePrincipal) -> bool:
        now, expires_at = self._now(), principal.expires_at
        if expires_at is None or self._cache.notice_given_on == now.date():
            return False
        return expires_at - now <= EXPIRY_NOTICE

    def _give_notice(self, principal: ServicePrincipal) -> None:
        """Tell once a day that the credential expires soon, and once that nobody knows when."""
        if principal.expires_at is None and not self._cache.unknown_expiry_said:
            self._cache.unknown_expiry_said = True
            logger.warning("the expiry of %s is unknown: set it", principal.vault_secret)
        if principal.expires_at is None or not self._notice_due(principal):
            return
        now = self._now()
        self._cache.notice_given_on = now.date()
        self._telemetry.event(
            Event.CREDENTIAL_EXPIRING,
            vault_secret=principal.vault_secret,
            kind=principal.kind,
            expires_at=_iso(principal.expires_at),
            days_left=(principal.expires_at - now).days,
        )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
