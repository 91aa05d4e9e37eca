"""What checks may rely on, of the prober on real sockets and of the fake alike."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from shared.clients.prober import NetworkProber
from shared.scoring.probe import Contact, Probe, Prober, ProbeRequest
from tests.support.fake_prober import FakeProber
from tests.support.scripted import Asked, Behaviour, always
from tests.support.tcp_services import closed_port, scripted

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One service and a prober for it."""

    prober: Prober
    url: str
    asked: list[Asked]

    async def probe(self, path: str = "/", **changes: object) -> Probe:
        plain = {"method": "GET", "timeout_seconds": PATIENCE_SECONDS, "max_bytes": 1_000}
        request = {**plain, "url": f"{self.url}{path}", **changes}
        return await self.prober.probe(ProbeRequest(**request))  # type: ignore[arg-type]


class Stages:
    """Fake or real."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @asynccontextmanager
    async def with_service(self, behaviour: Behaviour) -> AsyncIterator[Stage]:
        if self.kind == "fake":
            fake, origin = FakeProber(now=now), "http://one.test"
            fake.services[origin] = behaviour
            yield Stage(prober=fake, url=origin, asked=fake.asked.setdefault(origin, []))
            return
        asked: list[Asked] = []
        async with scripted(behaviour, asked) as url, NetworkProber(now=now) as prober:
            yield Stage(prober=prober, url=url, asked=asked)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["fake", "network"])
def stages(request: pytest.FixtureRequest) -> Stages:
    return Stages(request.param)


async def test_an_answer_has_its_status_headers_and_body(stages: Stages) -> None:
    before = now()

    async with stages.with_service(always(status=404, headers={"X-Model": "a"}, body=b"[1]")) as at:
        probe = await at.probe()

    assert probe.contact is Contact.ANSWERED
    assert (probe.status, probe.body, probe.detail) == (404, b"[1]", "")
    assert probe.headers["x-model"] == "a"
    assert before <= probe.at <= now()


async def test_the_request_arrives_as_it_was_given(stages: Stages) -> None:
    body = json.dumps({"data": "[[1, 2]]"}).encode()

    async with stages.with_service(always()) as at:
        await at.probe(
            "/base/score?height=138&unit=a%20b",
            method="POST",
            body=body,
            headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
        )

    (asked,) = at.asked
    assert (asked.method, asked.target) == ("POST", "/base/score?height=138&unit=a%20b")
    assert asked.body == body
    assert asked.headers["authorization"] == "Bearer k"
    assert asked.headers["content-type"] == "application/json"


async def test_a_redirect_is_an_answer_and_is_not_followed(stages: Stages) -> None:
    async with stages.with_service(always(status=302, headers={"Location": "/other"})) as at:
        probe = await at.probe()

    assert (probe.contact, probe.status) == (Contact.ANSWERED, 302)
    assert probe.headers["location"] == "/other"
    assert [each.target for each in at.asked] == ["/"]


async def test_an_answer_that_takes_long_tells_how_long(stages: Stages) -> None:
    async with stages.with_service(always(seconds=0.2)) as at:
        probe = await at.probe()

    assert probe.contact is Contact.ANSWERED
    assert probe.seconds >= 0.2
    assert probe.connect_seconds is not None
    assert probe.connect_seconds < probe.seconds


@pytest.mark.parametrize("behaviour", [always(contact=Contact.TIMED_OUT), always(seconds=20)])
async def test_what_does_not_answer_in_time_was_connected_to(
    stages: Stages, behaviour: Behaviour
) -> None:
    async with stages.with_service(behaviour) as at:
        probe = await at.probe(timeout_seconds=0.3)

    assert probe.contact is Contact.TIMED_OUT
    assert probe.connect_seconds is not None
    assert 0.3 <= probe.seconds < PATIENCE_SECONDS
    assert (probe.status, probe.body) == (None, b"")
    assert probe.detail


async def test_more_than_the_cap_is_not_kept(stages: Stages) -> None:
    async with stages.with_service(always(body=b"0123456789")) as at:
        probe = await at.probe(max_bytes=4)
        exactly = await at.probe(max_bytes=10)

    assert (probe.contact, probe.status, probe.body) == (Contact.TOO_LARGE, 200, b"0123")
    assert (exactly.contact, exactly.body) == (Contact.ANSWERED, b"0123456789")


@pytest.mark.parametrize("contact", [Contact.CUT, Contact.MALFORMED])
async def test_what_is_no_answer_has_no_status_and_a_reason(
    stages: Stages, contact: Contact
) -> None:
    async with stages.with_service(always(contact=contact)) as at:
        probe = await at.probe()

    assert (probe.contact, probe.status) == (contact, None)
    assert probe.connect_seconds is not None
    assert probe.detail


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.UNRESOLVED])
async def test_where_nothing_is_reached_nothing_was_connected(
    stages: Stages, contact: Contact
) -> None:
    # A name that no name server needs to be asked for: it has an empty part.
    nowhere = "no..name" if contact is Contact.UNRESOLVED else "127.0.0.1"

    async with stages.with_service(always(contact=contact)) as at:
        url = at.url if stages.kind == "fake" else f"http://{nowhere}:{closed_port()}"
        probe = await at.probe(url=url)

    assert (probe.contact, probe.status, probe.connect_seconds) == (contact, None, None)
    assert probe.detail
