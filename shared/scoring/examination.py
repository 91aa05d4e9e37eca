"""Examine one service: ask what its checks ask, in order, and no more than can still tell something.

Cheap routes first, then the golden requests. Nothing more is asked of a host where no connection came
about; but of a service whose cheap route is silent one golden request is asked, since only both
silent is busy.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.scoring.azure_word import AzureWord
from shared.scoring.credentials import Credentials, SignIn
from shared.scoring.evidence import Evidence
from shared.scoring.examined import examine_golden, examine_route, not_sent
from shared.scoring.finding import find
from shared.scoring.judgement import Check, CheckKind
from shared.scoring.key_echo import NO_KEYS, SentKeys
from shared.scoring.probe import Contact, Probe, Prober, ProbeRequest
from shared.scoring.request import golden_request, route_request
from shared.scoring.service import Checks, Golden, Route, Service

WITHOUT_CONNECTION = frozenset(
    {
        Contact.UNRESOLVED,
        Contact.REFUSED,
        Contact.UNREACHABLE,
        Contact.CONNECT_TIMED_OUT,
        Contact.TLS_FAILED,
        Contact.CERTIFICATE_INVALID,
    }
)
# To read and compare what is larger takes so long that others would wait for their probes.
LARGE_BYTES = 65_536
_REFUSALS = frozenset({Evidence.KEY_REFUSED, Evidence.FORBIDDEN})


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A service to examine.

    `rules` are its checks with the preset applied. `url` is its base URL, from its declaration or
    from Azure; `problem` says why there is none, without secrets; `unavailable`: because Azure
    could not be asked. `azure` is what Azure says of it itself, None where it was not listed.
    """

    service: Service
    rules: Checks
    url: str
    problem: str = ""
    unavailable: bool = False
    azure: AzureWord | None = None


@dataclass(frozen=True, kw_only=True)
class _Question:
    kind: CheckKind
    name: str
    request: Callable[[Mapping[str, str]], ProbeRequest]
    examine: Callable[[Probe, SentKeys], Check]


async def examine(
    subject: Subject,
    *,
    prober: Prober,
    credentials: Credentials,
    checked: Sequence[Check] = (),
    until: float | None = None,
) -> tuple[Check, ...]:
    """Ask a service all that is declared, one question after the other; returns all checks.

    `checked` is what earlier parts have asked: that is not asked again. `until`, a time of the
    running loop, ends a part: after its first question none is begun that may take longer.
    """
    questions = _unasked(subject, checked)
    sign_in = await credentials.sign_in(subject.service)
    problem = subject.problem or sign_in.problem
    if problem:
        unavailable = subject.unavailable if subject.problem else sign_in.unavailable
        unsent = (
            not_sent(each.kind, each.name, problem, unavailable=unavailable) for each in questions
        )
        return (*checked, *unsent)
    checks = list(checked)
    inquiry = _Inquiry(subject.service, prober, credentials, sign_in)
    begin_by = math.inf if until is None else until - subject.rules.timeout_seconds
    try:
        async with asyncio.timeout_at(until):
            await inquiry.ask_all(questions, checks, begin_by=begin_by)
    except TimeoutError:
        # It had to wait for its turn: what was answered before counts all the same.
        if until is None:
            raise
    return tuple(checks)


def is_complete(subject: Subject, checks: Sequence[Check]) -> bool:
    """Whether nothing is left to ask that could still tell something."""
    return all(_is_moot(each.kind, checks) for each in _unasked(subject, checks))


def _unasked(subject: Subject, checks: Sequence[Check]) -> Sequence[_Question]:
    asked = {(each.kind, each.name) for each in checks}
    return [each for each in _questions(subject) if (each.kind, each.name) not in asked]


def _questions(subject: Subject) -> Sequence[_Question]:
    rules = subject.rules
    routes = [(CheckKind.LIVE, rules.live), (CheckKind.READY, rules.ready)]
    return [
        *(_of_route(subject, kind, route) for kind, route in routes if route is not None),
        *(_of_golden(subject, golden) for golden in rules.golden),
    ]


def _of_route(subject: Subject, kind: CheckKind, route: Route) -> _Question:
    return _Question(
        kind=kind,
        name=route.path,
        request=lambda headers: route_request(subject.url, route, subject.rules, headers),
        examine=lambda probe, keys: examine_route(kind, route, probe, keys),
    )


def _of_golden(subject: Subject, golden: Golden) -> _Question:
    return _Question(
        kind=CheckKind.GOLDEN,
        name=golden.name,
        request=lambda headers: golden_request(subject.url, golden, subject.rules, headers),
        examine=lambda probe, keys: examine_golden(golden, probe, keys),
    )


def _is_moot(kind: CheckKind, asked: Sequence[Check]) -> bool:
    """Whether the answer could say nothing more, after what was asked before."""
    contacts = [(check.kind, check.probe.contact) for check in asked if check.probe]
    if any(contact in WITHOUT_CONNECTION for _, contact in contacts):
        return True
    silent = [kind for kind, contact in contacts if contact is Contact.TIMED_OUT]
    # Each question to a busy service costs its whole deadline, and adds to what keeps R busy.
    return bool(silent) and (kind is not CheckKind.GOLDEN or CheckKind.GOLDEN in silent)


def _check(question: _Question, probe: Probe, sent: Mapping[str, str]) -> Check:
    check = question.examine(probe, NO_KEYS)
    if not (sent and (check.mismatches or check.error_text)):
        return check
    # What is told of it quotes the answer, which may repeat the key.
    return question.examine(probe, SentKeys.of(sent))


class _Inquiry:
    """Questions to one service. A credential that is refused is renewed, once."""

    def __init__(
        self, service: Service, prober: Prober, credentials: Credentials, sign_in: SignIn
    ) -> None:
        self._service = service
        self._prober = prober
        self._credentials = credentials
        self._sign_in = sign_in
        self._may_renew = service.credential is not None

    async def ask_all(
        self, questions: Sequence[_Question], checks: list[Check], *, begin_by: float
    ) -> None:
        """Add a check for each question that could tell something; the first is begun in any case."""
        before, time = len(checks), asyncio.get_running_loop().time
        for question in questions:
            if _is_moot(question.kind, checks):
                continue
            if len(checks) > before and time() > begin_by:
                return
            checks.append(await self.ask(question))

    async def ask(self, question: _Question) -> Check:
        """Ask, and once more with another credential if this one is refused."""
        check = await self._send(question)
        if find(check) in _REFUSALS and await self._has_renewed():
            check = await self._send(question)
        return check

    async def _send(self, question: _Question) -> Check:
        sent = self._sign_in.headers
        probe = await self._prober.probe(question.request(sent))
        if len(probe.body) > LARGE_BYTES:
            return await asyncio.to_thread(_check, question, probe, sent)
        return _check(question, probe, sent)

    async def _has_renewed(self) -> bool:
        if not self._may_renew:
            return False
        self._may_renew = False
        renewed = await self._credentials.sign_in(self._service, renew=True)
        # The same key would be refused again, and a refusal says more than that there is none.
        if renewed.problem or renewed.headers == self._sign_in.headers:
            return False
        self._sign_in = renewed
        return True
