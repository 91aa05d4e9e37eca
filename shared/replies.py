"""HTTP answers in plain values: status, headers, body. Triggers wrap them; errors become problems.

Problem details as RFC 9457, with `field` for wrong input and `run_id` for a run that failed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from shared.errors import (
    InvalidRequestError,
    NothingEnumeratedError,
    OpsError,
    SettingsError,
)

logger = logging.getLogger(__name__)

JSON = "application/json"
PROBLEM = "application/problem+json"

Response = TypeVar("Response")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer. `body` is UTF-8 text; `headers` are those beside Content-Type."""

    status: int
    content_type: str = JSON
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def wrapped_in(self, response: Callable[..., Response]) -> Response:
        """Return it as the host wants it: `response` is `azure.functions.HttpResponse`."""
        return response(
            self.body,
            status_code=self.status,
            headers=self.headers,
            mimetype=self.content_type,
        )


def json_reply(body: str, *, status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with a JSON document."""
    return Reply(status=status, body=body, headers=headers or {})


async def answering(work: Awaitable[Reply]) -> Reply:
    """Turn every error into a problem. The last line of an HTTP trigger: nothing leaks past it."""
    try:
        return await work
    except InvalidRequestError as error:
        return problem(error.status, error.detail, field=error.field)
    except OpsError as error:
        # What went wrong is an operator's matter and said in full: a traceback adds nothing.
        logger.error("%s: %s", type(error).__name__, error)  # noqa: TRY400
        return _operational(error)
    except Exception:
        logger.exception("an unexpected error")
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "An unexpected error; the log has it.")


def _operational(error: OpsError) -> Reply:
    if isinstance(error, SettingsError):
        detail = "The app is not configured; its log lists what is missing or wrong."
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
    status = HTTPStatus.SERVICE_UNAVAILABLE if error.retryable else HTTPStatus.BAD_GATEWAY
    found_by = {"run_id": error.run_id} if isinstance(error, NothingEnumeratedError) else {}
    return problem(status, str(error), **found_by)


def problem(status: int, detail: str, **extra: Any) -> Reply:
    """Return problem details; `extra` members are added as they are."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **extra,
    }
    return Reply(status=int(status), content_type=PROBLEM, body=json.dumps(body))
