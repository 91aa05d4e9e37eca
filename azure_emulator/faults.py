"""Faults on demand: the next calls that match get a wrong answer, none, or half of one."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.types import Message, Receive, Scope, Send

from azure_emulator.answers import JSON_TYPE, Answer
from azure_emulator.recorder import Record

TRANSPORT = "azure_emulator.transport"
Proceed = Callable[[], Awaitable[Answer]]


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Strict):
    """Which calls: a method (any if absent) and a regular expression found in the path."""

    method: str | None = None
    path_regex: str

    @model_validator(mode="after")
    def _is_a_pattern(self) -> "Match":
        try:
            re.compile(self.path_regex)
        except re.error as error:
            raise ValueError(f"path_regex: {error}") from error
        return self

    def covers(self, record: Record) -> bool:
        if self.method is not None and self.method.upper() != record.method:
            return False
        return re.search(self.path_regex, record.path, re.IGNORECASE) is not None


class Effect(_Strict):
    """What happens; exactly one of status, hang_seconds, cut and malformed_json.

    hang_seconds: nothing for so long, then as usual, unless the caller has gone away.
    cut: the connection is closed before the call has an effect, after it, or amid the body.
    malformed_json: the call has its effect, the body ends too early.
    """

    status: int | None = Field(default=None, ge=200, le=599)
    headers: dict[HeaderName, HeaderValue] = {}
    body: Any = None
    hang_seconds: float | None = Field(default=None, ge=0)
    cut: Literal["before_effect", "after_effect", "mid_body"] | None = None
    malformed_json: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Effect":
        kinds = (self.status, self.hang_seconds, self.cut, self.malformed_json)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("give exactly one of status, hang_seconds, cut, malformed_json")
        return self


class Fault(_Strict):
    """The document of POST /_emulator/faults. `times` null: until it is cleared."""

    match: Match
    skip: int = Field(default=0, ge=0)
    times: int | None = Field(default=1, ge=1)
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The connection of one call, for faults that do not answer in the usual way."""

    scope: Scope
    receive: Receive
    send: Send

    def abort(self) -> None:
        """Close the TCP connection without a TLS farewell."""
        self.scope["extensions"][TRANSPORT].abort()

    async def caller_left(self, *, within_seconds: float) -> bool:
        try:
            async with asyncio.timeout(within_seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True


class _Armed:
    def __init__(self, fault: Fault, fault_id: str) -> None:
        self.fault = fault
        self.id = fault_id
        self.matched = 0
        self.hits = 0

    def strikes(self, record: Record) -> bool:
        """Whether this call is to get the fault; counts the calls it has seen."""
        spent = self.fault.times is not None and self.hits >= self.fault.times
        if spent or not self.fault.match.covers(record):
            return False
        self.matched += 1
        if self.matched <= self.fault.skip:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults in force; the oldest that matches wins."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._numbers = count(1)

    def add(self, fault: Fault) -> str:
        armed = _Armed(fault, f"fault-{next(self._numbers)}")
        self._armed.append(armed)
        return armed.id

    def clear(self) -> None:
        self._armed.clear()

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "id": armed.id,
                "hits": armed.hits,
                **armed.fault.model_dump(exclude_none=True),
                # Null is told: it means until cleared.
                "times": armed.fault.times,
            }
            for armed in self._armed
        ]

    def strike(self, record: Record) -> Effect | None:
        """The effect this call is to get, noted in its record; None for most calls."""
        for armed in self._armed:
            if armed.strikes(record):
                record.fault = armed.id
                return armed.fault.effect
        return None


async def carry_out(effect: Effect, exchange: Exchange, proceed: Proceed) -> Answer | None:
    """Let an effect happen around the usual course of a call; None: the connection is cut."""
    if effect.status is not None:
        return _prescribed(effect)
    if effect.hang_seconds is not None:
        left = await exchange.caller_left(within_seconds=effect.hang_seconds)
        return None if left else await proceed()
    if effect.malformed_json:
        return _malformed(await proceed())
    await _cut(effect, exchange, proceed)
    return None


async def _cut(effect: Effect, exchange: Exchange, proceed: Proceed) -> None:
    if effect.cut != "before_effect":
        answer = await proceed()
        if effect.cut == "mid_body":
            await _send_half(answer, exchange.send)
    exchange.abort()
    # Until the server has noticed, it would answer 500 in our place.
    await exchange.caller_left(within_seconds=5)


def _prescribed(effect: Effect) -> Answer:
    given = tuple((name.lower().encode(), value.encode()) for name, value in effect.headers.items())
    named = {name for name, _ in given}
    typed = given if b"content-type" in named else (JSON_TYPE, *given)
    return Answer(status=effect.status or 500, body=_encoded(effect.body), headers=typed)


def _encoded(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _malformed(answer: Answer) -> Answer:
    half = answer.body[: len(answer.body) // 2] or b'{"value": ['
    return Answer(status=answer.status, body=half, headers=answer.headers)


async def _send_half(answer: Answer, send: Send) -> None:
    promised = max(len(answer.body), 2)
    headers = (*answer.headers, (b"content-length", str(promised).encode()))
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    half = answer.body[: promised // 2] or b"{"
    await send({"type": "http.response.body", "body": half, "more_body": True})
    # Let the half leave this machine before the connection is torn down.
    await asyncio.sleep(0.05)
