"""The container behind a front end: fixed answers by request, given when and as its seed says.

Its root answers `Healthy`, as Azure ML's inference server does; scores are answered by the seed's
`answers`, in the order in which they stand there.
"""

import asyncio
import json
from collections import defaultdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from azure_emulator.scoring import backend
from azure_emulator.scoring_seed import Answering, AnswerSeed

SCORE_PATH = "/score"
_NO_JSON = object()


class Containers:
    """Answers for all of them. A container that is one thread takes one request after another."""

    def __init__(self) -> None:
        # By identity: two deployments of the same content are two containers.
        self._threads: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(
        self, request: Request, answering: Answering, *, path: str, scale: float
    ) -> Response:
        """The answer, once it is this request's turn; `scale` shortens Azure's seconds."""
        behaviour = answering.behaviour
        body = await request.body()
        alone = asyncio.Lock()
        async with self._threads[id(answering)] if behaviour.one_at_a_time else alone:
            if behaviour.hangs:
                return await _silence(request)
            await asyncio.sleep(behaviour.answer_seconds * scale)
            if answering.backend is not None:
                return await backend.answer(request, answering.backend, path=path, body=body)
            return _content(request, answering, path=path, body=body)


class _NothingSent(Response):
    """For a caller who has left: the record says that there was no answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


async def _silence(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return _NothingSent()


def _content(request: Request, answering: Answering, *, path: str, body: bytes) -> Response:
    if (request.method, path) == ("GET", "/"):
        return PlainTextResponse("Healthy")
    if answering.behaviour.fails and path == SCORE_PATH:
        return PlainTextResponse("An unexpected error occurred in scoring script.", status_code=500)
    sent = _parsed(body)
    fitting = (a for a in answering.answers if _fits(a, request, path=path, sent=sent))
    answer = next(fitting, None)
    if answer is not None:
        return JSONResponse(answer.content, status_code=answer.status)
    status = 400 if path == SCORE_PATH else 404
    message = "The emulated service has no answer to this."
    return JSONResponse({"message": message}, status_code=status)


def _fits(answer: AnswerSeed, request: Request, *, path: str, sent: Any) -> bool:
    return (
        (answer.method, answer.path) == (request.method, path)
        and answer.query.items() <= dict(request.query_params).items()
        and (answer.body is None or answer.body == sent)
    )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (RecursionError, ValueError):
        return _NO_JSON
