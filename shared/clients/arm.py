"""Azure Resource Manager over azure-core's asynchronous pipeline, with our own pacing and retry."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from shared.clients.arm_answer import ArmAnswer, parse_object
from shared.clients.arm_call import (
    TENANT,
    Call,
    connection_problem,
    never_sent,
    seconds_before_retry,
)
from shared.clients.arm_pipeline import open_pipeline
from shared.clients.pacer import Bucket, Operation, Pacer
from shared.errors import AzureRequestError, CredentialError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

ATTEMPT_SECONDS = 30.0
HTTPS_PORT = 443
_TOO_LATE = "the deadline came before its turn"
_COUNT = re.compile(r"[0-9]{1,9}")
# The bucket itself is empty; any other 429 speaks of one action of one resource provider.
_BUCKET_CODES = frozenset({"SubscriptionRequestsThrottled", "TenantRequestsThrottled", ""})


@dataclass(frozen=True, kw_only=True)
class ArmSettings:
    """Where ARM is, in which audience it believes, and which api-version is spoken."""

    endpoint: str
    scope: str
    api_version: str


class Arm:
    """A session with Azure Resource Manager; belongs to the event loop that opened it.

    `on_answer(operation, throttled)` is told of every answer. Raises CredentialError when the
    credential does, and AzureRequestError for whatever ARM would not do until the deadline.
    """

    def __init__(
        self,
        settings: ArmSettings,
        *,
        credential: AsyncTokenCredential,
        pacer: Pacer,
        now: Callable[[], datetime],
        on_answer: Callable[[Operation, bool], None],
    ) -> None:
        self._settings = settings
        self._pacer = pacer
        self._now = now
        self._on_answer = on_answer
        self._credential = credential
        self._origin = _origin(settings.endpoint)
        self._client = open_pipeline(settings.endpoint, credential=credential, scope=settings.scope)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def get(
        self, path: str, *, deadline: datetime, api_version: str = "", query: str = ""
    ) -> ArmAnswer:
        """GET one resource; raises AzureRequestError unless ARM answers 2xx. `query` is encoded."""
        url = self._url(path, api_version) + (f"&{query}" if query else "")
        answer = await self._send(Call(method="GET", url=url, deadline=deadline))
        if not answer.succeeded:
            raise answer.as_error()
        return answer

    async def list(self, path: str, *, deadline: datetime) -> Sequence[dict[str, Any]]:
        """GET every page of a collection, following nextLink."""
        items: list[dict[str, Any]] = []
        seen: set[str] = set()
        url = self._url(path)
        while url:
            if url in seen:
                raise AzureRequestError(f"GET {path}: nextLink leads in a circle", status=None)
            seen.add(url)
            page = (await self.get(url, deadline=deadline)).body
            items += _items(page, path)
            url = self._next_url(page.get("nextLink"), path)
        return items

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        deadline: datetime,
        api_version: str = "",
    ) -> ArmAnswer:
        """POST an action. Sent again only where nothing was done: throttled (429), or no connection."""
        url = self._url(path, api_version)
        return await self._send(Call(method="POST", url=url, deadline=deadline, body=body))

    async def put(
        self, path: str, body: Mapping[str, Any], *, deadline: datetime, api_version: str = ""
    ) -> ArmAnswer:
        """PUT a whole resource. Sent again as a POST is: what a PUT replaces may start anew."""
        url = self._url(path, api_version)
        return await self._send(Call(method="PUT", url=url, deadline=deadline, body=body))

    async def patch(self, path: str, body: Mapping[str, Any], *, deadline: datetime) -> ArmAnswer:
        """PATCH a resource. Sent again also after a 503: settings are absolute."""
        url = self._url(path)
        return await self._send(Call(method="PATCH", url=url, deadline=deadline, body=body))

    async def delete(self, path: str, *, deadline: datetime) -> ArmAnswer:
        """DELETE a resource, sent again as a POST is; 204: it was not there."""
        url = self._url(path)
        return await self._send(Call(method="DELETE", url=url, deadline=deadline))

    def owns(self, url: str) -> bool:
        """Whether a URL lies on ARM's own origin: no other host ever gets our token."""
        return _origin(url) == self._origin

    def _url(self, path: str, api_version: str = "") -> str:
        if self.owns(path):
            return path
        if not path.startswith("/"):
            raise AzureRequestError("an id of Azure's that is no path was not asked", status=None)
        return f"{self._settings.endpoint}{path}?api-version={api_version or self._settings.api_version}"

    def _next_url(self, link: object, path: str) -> str:
        if not link:
            return ""
        if not isinstance(link, str) or not self.owns(link):
            raise AzureRequestError(f"GET {path}: nextLink leads to another host", status=None)
        # As Azure's own SDKs do: the client's api-version, everything else verbatim.
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = [pair for pair in pairs if pair[0].lower() != "api-version"]
        query.append(("api-version", self._settings.api_version))
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def _send(self, call: Call) -> ArmAnswer:
        attempt = 1
        answer = await self._attempt(call)
        while (wait := seconds_before_retry(call, answer, attempt)) is not None:
            if wait >= self._remaining(call):
                break
            await asyncio.sleep(wait)
            again = await self._attempt(call)
            # What Azure said before tells more than that there was no time to ask again.
            answer = answer if again.problem == _TOO_LATE else again
            attempt += 1
        return answer

    async def _attempt(self, call: Call) -> ArmAnswer:
        await self._sign_in(call)
        bucket = self._pacer.bucket(call.bucket_scope, call.operation)
        try:
            async with bucket.turn(within=max(self._remaining(call), 0)) as number:
                answer = await self._exchange(call)
        except TimeoutError:
            return ArmAnswer(what=call.what, arrived=False, problem=_TOO_LATE)
        self._learn(call, answer, bucket, number)
        return answer

    async def _sign_in(self, call: Call) -> None:
        """Have a token before an attempt's time begins: a vault that hangs is no slow ARM."""
        try:
            async with asyncio.timeout(max(self._remaining(call), 1)):
                await self._credential.get_token(self._settings.scope)
        except TimeoutError:
            problem = "Key Vault or Entra ID gave no token by the deadline"
            raise CredentialError(problem, retryable=True) from None

    async def _exchange(self, call: Call) -> ArmAnswer:
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        headers = {"Accept": "application/json"}
        request = HttpRequest(call.method, call.url, headers=headers, json=call.body)
        try:
            async with asyncio.timeout(min(ATTEMPT_SECONDS, max(self._remaining(call), 1))):
                response = await self._client.send_request(request)
        except TimeoutError:
            return ArmAnswer(what=call.what, problem="no answer in time")
        except (AzureError, ValueError) as error:
            # The SDK raises ValueError for a 401 whose challenge it cannot decode.
            return ArmAnswer(
                what=call.what, arrived=not never_sent(error), problem=connection_problem(error)
            )
        body, problem = parse_object(response.content)
        return ArmAnswer(
            what=call.what,
            status=response.status_code,
            headers=response.headers,
            body=body,
            problem=problem if response.status_code < 300 else "",  # noqa: PLR2004  # 2xx
        )

    def _learn(self, call: Call, answer: ArmAnswer, bucket: Bucket, number: int) -> None:
        throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        if answer.status is not None:
            self._on_answer(call.operation, throttled)
        if throttled and answer.code in _BUCKET_CODES:
            bucket.pause(answer.retry_after or 1.0)
        scope = TENANT if call.bucket_scope == TENANT else "subscription"
        remaining = answer.headers.get(f"x-ms-ratelimit-remaining-{scope}-{call.operation}", "")
        if _COUNT.fullmatch(remaining):
            bucket.learn(number, int(remaining))

    def _remaining(self, call: Call) -> float:
        return (call.deadline - self._now()).total_seconds()


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return (scheme, host, port) of an https URL, None of anything else or ambiguous."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        return None
    ambiguous = "@" in parts.netloc or "\\" in url
    if parts.scheme != "https" or not parts.hostname or ambiguous:
        return None
    return parts.scheme, parts.hostname, port


def _items(page: Any, path: str) -> Sequence[dict[str, Any]]:
    value = page.get("value")
    if not isinstance(value, list):
        raise AzureRequestError(f"GET {path}: the answer has no list 'value'", status=None)
    return [item for item in value if isinstance(item, dict)]
