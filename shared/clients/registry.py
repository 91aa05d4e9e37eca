"""What registries say of tags and images: the distribution API of OCI, and the sign-in of Azure Container Registry.

Sources: github.com/opencontainers/distribution-spec (pulling manifests), distribution.github.io/
distribution/spec/auth/token, github.com/Azure/acr/blob/main/docs/AAD-OAuth.md. The service principal's
token goes to registries of its own cloud alone; all others are asked as anybody may ask them.
Our own few requests on aiohttp: azure-containerregistry asks Azure's own API (/acr/v1), which no other
registry has.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from shared.clients.arm_answer import parse_object
from shared.clients.arm_pipeline import USER_AGENT, proxies
from shared.clients.image_config import on_docker_hub, platform_digest
from shared.clients.lenient_json import as_object, count, text
from shared.errors import AzureRequestError, MissingRightError
from shared.scoring.redeploy.image_reference import ImageReference, parse_image

if TYPE_CHECKING:
    import aiohttp
    from azure.core.credentials_async import AsyncTokenCredential

# The audience of registries in all clouds, as Azure's command line asks for it.
SCOPE: Final = "https://containerregistry.azure.net/.default"
PULL: Final = "Microsoft.ContainerRegistry/registries/pull/read"
TIMEOUT_SECONDS: Final = 20.0
# An index counts as what it is: its digest is what a pull by tag is told.
_ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_DENIED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Configs are some kilobytes; a manifest that says otherwise is not followed.
_MAX_CONFIG: Final = 1_000_000


class RegistryClient:
    """Provides `shared.scoring.redeploy.tag_digests.TagDigests`; opens a connection per question.

    `trusted_suffix`: how the hosts end that may be shown the principal's token (`.azurecr.io`).
    """

    def __init__(self, credential: AsyncTokenCredential, *, trusted_suffix: str) -> None:
        self._credential = credential
        self._trusted_suffix = trusted_suffix

    async def digest_of(self, image: str) -> str | None:
        """HEAD the manifest of a reference's tag; returns its digest, None where there is no such tag."""
        reference = parse_image(image)
        if reference is None or not (reference.registry and reference.tag):
            raise AzureRequestError(f"{image}: names no registry and tag", status=None)
        async with _open(reference) as registry:
            answer, _ = await self._asked(registry, "HEAD", reference.tag)
            return self._read(answer, reference)

    async def config_of(self, image: str) -> Mapping[str, Any]:
        """GET what an image says of itself (of several platforms, linux/amd64): variables and labels.

        Source: github.com/opencontainers/image-spec, config. A name without a registry is Docker Hub's.
        Raises AzureRequestError.
        """
        reference = parse_image(image)
        if reference is None:
            raise AzureRequestError("its image is no reference of one", status=None)
        reference = on_docker_hub(reference)
        async with _open(reference) as registry:
            wanted = reference.digest or reference.tag or "latest"
            answer, token = await self._asked(registry, "GET", wanted)
            manifest = self._document(answer, reference)
            part = platform_digest(manifest)
            if part:
                manifest = self._document(await registry.manifest("GET", part, token), reference)
            config = as_object(manifest.get("config"))
            digest = text(config, "digest")
            if not _DIGEST.fullmatch(digest) or (count(config, "size") or 0) > _MAX_CONFIG:
                raise AzureRequestError(
                    f"{reference.name}: its manifest names no config", status=None
                )
            return self._document(await registry.blob(digest, token), reference)

    async def _asked(self, registry: _Registry, method: str, wanted: str) -> tuple[_Answer, str]:
        """Ask for a manifest, signed in where the registry wants that; returns the token, too."""
        answer, token = await registry.manifest(method, wanted, ""), ""
        if answer.status == HTTPStatus.UNAUTHORIZED:
            token = await self._sign_in(registry, registry.reference, answer)
            answer = await registry.manifest(method, wanted, token)
        return answer, token

    def _document(self, answer: _Answer, reference: ImageReference) -> Mapping[str, Any]:
        if answer.status in _DENIED:
            raise self._denied(reference, answer.status)
        document, problem = parse_object(answer.content)
        if answer.status != HTTPStatus.OK or problem or not document:
            raise answer.failure(reference.name, problem if answer.status == HTTPStatus.OK else "")
        return document

    async def _sign_in(
        self, registry: _Registry, reference: ImageReference, challenged: _Answer
    ) -> str:
        if not self._is_trusted(reference):
            return await registry.anonymous_token(challenged)
        found = await self._credential.get_token(SCOPE)
        exchanged = await registry.exchange(found.token)
        if exchanged.status in _DENIED:
            raise self._denied(reference, exchanged.status)
        return await registry.access_token(exchanged)

    def _is_trusted(self, reference: ImageReference) -> bool:
        return reference.registry.lower().endswith(self._trusted_suffix)

    def _read(self, answer: _Answer, reference: ImageReference) -> str | None:
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status in _DENIED:
            raise self._denied(reference, answer.status)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == HTTPStatus.OK and _DIGEST.fullmatch(digest):
            return digest
        raise answer.failure(
            reference.tagged, "no digest" if answer.status == HTTPStatus.OK else ""
        )

    def _denied(self, reference: ImageReference, status: int) -> AzureRequestError:
        if self._is_trusted(reference):
            return MissingRightError(PULL, on=reference.name)
        problem = f"{reference.tagged}: {status}, asked without a credential"
        return AzureRequestError(problem, status=status)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    def token(self, *names: str, of: str) -> str:
        """Return the first of these that the answer holds. Raises AzureRequestError."""
        body = parse_object(self.content)[0] if self.status == HTTPStatus.OK else {}
        found = next((text(body, name) for name in names if text(body, name)), "")
        if not found:
            raise self.failure(of, "no token" if self.status == HTTPStatus.OK else "")
        return found

    def failure(self, what: str, problem: str) -> AzureRequestError:
        """Return the error to raise; it quotes nothing, since answers may hold tokens."""
        said = f"{what}: {self.status}{', ' if problem else ''}{problem}"
        return AzureRequestError(said, status=self.status, retryable=self.status in _PASSING)


@asynccontextmanager
async def _open(reference: ImageReference) -> AsyncIterator[_Registry]:
    import aiohttp

    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        headers={"User-Agent": USER_AGENT},
    ) as session:
        yield _Registry(session=session, reference=reference)


@dataclass(frozen=True, kw_only=True)
class _Registry:
    """One registry, asked about one reference."""

    session: aiohttp.ClientSession = field(repr=False)
    reference: ImageReference

    @property
    def url(self) -> str:
        return f"https://{self.reference.registry}"

    @property
    def scope(self) -> str:
        return f"repository:{self.reference.repository}:pull"

    async def manifest(self, method: str, wanted: str, token: str) -> _Answer:
        """HEAD or GET /v2/{name}/manifests/{tag or digest}, without a token where there is none."""
        url = f"{self.url}/v2/{self.reference.repository}/manifests/{wanted}"
        return await self._ask(method, url, headers={"Accept": _ACCEPT, **_signed(token)})

    async def blob(self, digest: str, token: str) -> _Answer:
        """GET /v2/{name}/blobs/{digest}; registries send on to storage, by a URL that is signed."""
        url = f"{self.url}/v2/{self.reference.repository}/blobs/{digest}"
        answer = await self._ask("GET", url, headers=_signed(token))
        elsewhere = answer.headers.get("Location", "")
        if answer.status in _REDIRECTS and elsewhere.startswith("https://"):
            return await self._ask("GET", elsewhere)
        return answer

    async def exchange(self, entra_token: str) -> _Answer:
        """POST /oauth2/exchange: a token of Entra ID for the registry's refresh token."""
        form = {
            "grant_type": "access_token",
            "service": self.reference.registry,
            "access_token": entra_token,
        }
        return await self._ask("POST", f"{self.url}/oauth2/exchange", data=form)

    async def access_token(self, exchanged: _Answer) -> str:
        """POST /oauth2/token: the refresh token for one that may pull the repository."""
        form = {
            "grant_type": "refresh_token",
            "service": self.reference.registry,
            "scope": self.scope,
            "refresh_token": exchanged.token("refresh_token", of=f"{self.url}/oauth2/exchange"),
        }
        url = f"{self.url}/oauth2/token"
        return (await self._ask("POST", url, data=form)).token("access_token", of=url)

    async def anonymous_token(self, challenged: _Answer) -> str:
        """GET the token that the challenge offers to anybody; empty where it offers none."""
        challenge = challenged.headers.get("WWW-Authenticate", "")
        told = dict(_PARAMETER.findall(challenge))
        realm = urlsplit(told.get("realm", ""))
        if not challenge.lower().startswith("bearer ") or realm.scheme != "https":
            return ""
        query = {"service": told.get("service", ""), "scope": self.scope}
        answer = await self._ask("GET", told["realm"], params=query)
        if answer.status in _DENIED:
            return ""
        return answer.token("token", "access_token", of=f"https://{realm.hostname}")

    async def _ask(self, method: str, url: str, **sent: Any) -> _Answer:
        import aiohttp

        where = f"{self.reference.tagged}: {urlsplit(url).hostname}"
        try:
            async with self.session.request(
                method,
                url,
                proxy=proxies(url).get("https"),
                # Tokens go to no other place.
                allow_redirects=False,
                **sent,
            ) as response:
                content = await response.read()
                return _Answer(status=response.status, headers=response.headers, content=content)
        except TimeoutError:
            problem = f"{where}: no answer within {TIMEOUT_SECONDS:g} s"
            raise AzureRequestError(problem, status=None, retryable=True) from None
        except (aiohttp.ClientError, ValueError) as error:
            problem = f"{where}: not reached ({type(error).__name__})"
            raise AzureRequestError(problem, status=None, retryable=True) from None


def _signed(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
