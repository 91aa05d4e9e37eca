"""One call of Azure Resource Manager, and when it is sent again."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from shared.clients.arm_answer import ArmAnswer
from shared.clients.pacer import Operation

MAX_ATTEMPTS = 5
MAX_BACKOFF_SECONDS = 30.0
# An action decided on longer ago has to be decided again: a job may have started meanwhile.
LONGEST_BLIND_WAIT = 10.0
TENANT = "tenant"
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is asked, and when to give up. `body` is sent as JSON; None: none is sent."""

    method: str
    url: str = field(repr=False)
    deadline: datetime
    body: Mapping[str, Any] | None = None

    @property
    def operation(self) -> Operation:
        """The bucket that pays for it: whatever is neither GET nor DELETE is a write."""
        others = {"GET": Operation.READS, "DELETE": Operation.DELETES}
        return others.get(self.method, Operation.WRITES)

    @property
    def bucket_scope(self) -> str:
        """Whose bucket: a subscription's, else the tenant's."""
        found = _SUBSCRIPTION.search(urlsplit(self.url).path)
        return found.group(1) if found else TENANT

    def may_repeat(self, answer: ArmAnswer) -> bool:
        """Whether sending it again does no harm even if the first one had its effect.

        A gateway's 5xx may come after the effect: an action is looked for before it is sent again.
        """
        # What is patched are absolute settings.
        is_settings = self.method == "PATCH" and answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        return self.method == "GET" or is_settings

    @property
    def what(self) -> str:
        """The call in words, without the query: an operation's URL is signed."""
        return f"{self.method} {urlsplit(self.url).path}"


def seconds_before_retry(call: Call, answer: ArmAnswer, attempt: int) -> float | None:
    """Return how long to wait before sending again, None not to."""
    if answer.succeeded or not answer.transient:
        return None
    throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if not (throttled or not answer.arrived or call.may_repeat(answer)):
        return None
    if attempt >= MAX_ATTEMPTS and not throttled:
        return None
    # Full jitter spreads those who wait for the same thing; Retry-After is a floor under it.
    jitter = random.uniform(0, min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempt - 1, 5)))  # noqa: S311  # no secret
    wait = (answer.retry_after or 0.0) + jitter
    return None if call.method != "GET" and wait > LONGEST_BLIND_WAIT else wait


def never_sent(error: BaseException) -> bool:
    """Whether no server can have got the request: no connection was made for it."""
    from aiohttp import ClientConnectorError
    from azure.core.exceptions import ServiceRequestTimeoutError

    return isinstance(error, ServiceRequestTimeoutError) or isinstance(
        error.__cause__, ClientConnectorError
    )


def connection_problem(error: BaseException) -> str:
    """Say why there was no answer."""
    # The class says enough; the text of a client error may hold the whole URL.
    cause = error.__cause__ or error
    return f"no answer: {type(cause).__name__}"
