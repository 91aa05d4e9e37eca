"""The app's own storage account: where it is, how patiently it is asked, what its failures mean.

Tables and the queue follow the same rules: a few short tries, one limit for a whole call, and one
error that names the table or queue and Azure's code, never a key, a signature or a URL.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.request import getproxies

from shared.clients.redaction import redact
from shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import AzureError

T = TypeVar("T")

# Seconds before the second try (a connection that had grown stale), the third and the fourth; up to
# as much again is added by chance.
WAITS: Final = (0.05, 0.4, 1.0)
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
_REQUEST_LOG: Final = "azure.core.pipeline.policies.http_logging_policy"
# What the services answer when the table or queue itself is not there yet, or any more.
_MISSING: Final = frozenset({"TableNotFound", "QueueNotFound"})


@dataclass(frozen=True, kw_only=True)
class StorageAccount:
    """A connection string, or endpoints (https URLs) with a credential of the running event loop.

    `attempt_seconds` bounds the silence of one try, `call_seconds` a whole call with all its tries.
    """

    connection_string: str = field(default="", repr=False)
    table_endpoint: str = ""
    queue_endpoint: str = ""
    credential: AsyncTokenCredential | None = field(default=None, repr=False)
    attempt_seconds: float = 4.0
    call_seconds: float = 10.0

    @property
    def pipeline_options(self) -> dict[str, Any]:
        """Options of both SDKs: they try once, since their own retries last for minutes."""
        return {
            "retry_total": 0,
            "connection_timeout": self.attempt_seconds,
            "read_timeout": self.attempt_seconds,
            "permit_redirects": False,
            # aiohttp asks the environment, and ~/.netrc, twice in a thread for each request.
            "use_env_settings": bool(getproxies()),
        }


@dataclass(frozen=True, kw_only=True)
class _Problem:
    code: str
    transient: bool
    text: str

    @property
    def missing(self) -> bool:
        return self.code in _MISSING


class StorageCalls:
    """Calls to one table or queue, told apart in errors by `what`.

    After a failure nobody waits for the same service again for `hold_seconds`.
    """

    def __init__(self, what: str, account: StorageAccount, *, hold_seconds: float = 0.0) -> None:
        self._what = what
        self._account = account
        self._hold_seconds = hold_seconds
        self._held_until = 0.0
        self._held_message = ""
        self._last_problem = ""
        # Below WARNING it writes a dozen lines about every request; a night makes thousands.
        logging.getLogger(_REQUEST_LOG).setLevel(logging.WARNING)

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Bound what is done inside. Raises StorageUnavailableError when the time is over."""
        clock = asyncio.get_running_loop()
        if clock.time() < self._held_until:
            raise StorageUnavailableError(self._held_message)
        bound = asyncio.timeout(self._account.call_seconds)
        try:
            async with bound:
                yield
        except StorageUnavailableError as error:
            self._hold(str(error))
            raise
        except TimeoutError:
            if not bound.expired():
                raise
        else:
            return
        known = f" ({self._last_problem})" if self._last_problem else ""
        message = f"{self._what}: not done within {self._account.call_seconds:g} s{known}"
        self._hold(message)
        raise StorageUnavailableError(message)

    async def send(
        self, request: Callable[[], Awaitable[T]], *, create: Callable[[], Awaitable[object]]
    ) -> T:
        """Send a request that may be sent again, after `create` where the service lacks the thing.

        Raises StorageUnavailableError, without the SDK's error: its text may hold a signed URL.
        """
        problem = _Problem(code="", transient=True, text="")
        for wait in (*WAITS, None):
            answer = await _attempt(request, create if problem.missing else None)
            if not isinstance(answer, _Problem):
                return answer
            problem = answer
            self._last_problem = problem.text
            if wait is None or not (problem.transient or problem.missing):
                break
            if problem.transient:
                await asyncio.sleep(wait + random.uniform(0, wait))  # noqa: S311  # no secret
        raise StorageUnavailableError(f"{self._what}: {problem.text}")

    def _hold(self, message: str) -> None:
        self._held_until = asyncio.get_running_loop().time() + self._hold_seconds
        self._held_message = message


async def _attempt(
    request: Callable[[], Awaitable[T]], before: Callable[[], Awaitable[object]] | None
) -> T | _Problem:
    from azure.core.exceptions import AzureError

    try:
        if before is not None:
            await before()
        return await request()
    except AzureError as error:
        return _problem(error)
    except AttributeError as error:
        # azure-data-tables 12.7 stumbles over a credential's error, which has no response.
        if not isinstance(error.__context__, AzureError):
            raise
        return _problem(error.__context__)
    except ValueError:
        return _Problem(
            code="", transient=False, text="its connection string or its answer is malformed"
        )


async def create(thing: Callable[[], Awaitable[object]], *, already: str) -> None:
    """Create a table or queue; `already` is the service's code where somebody else just did."""
    from azure.core.exceptions import ResourceExistsError

    try:
        await thing()
    except ResourceExistsError as error:
        if error_code(error) != already:
            raise


def error_code(error: AzureError) -> str:
    """Return the service's own code of an error, empty where it did not answer."""
    code = getattr(error, "error_code", None)
    response = getattr(error, "response", None)
    if not code and response is not None:
        code = response.headers.get("x-ms-error-code")
    return redact(str(getattr(code, "value", code) or ""))


def _problem(error: AzureError) -> _Problem:
    status = getattr(error, "status_code", None)
    code = error_code(error)
    if status is None:
        cause = error.inner_exception or error
        return _Problem(
            code=code, transient=_unanswered(error), text=f"no answer: {type(cause).__name__}"
        )
    said = code or ("an answer that is none" if status < HTTPStatus.BAD_REQUEST else "")
    return _Problem(code=code, transient=status in _TRANSIENT, text=f"{status} {said}".strip())


def _unanswered(error: AzureError) -> bool:
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    return isinstance(error, ServiceRequestError | ServiceResponseError)
