"""What is asked of one service, in which order, with which key, and when enough was asked."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.scoring.examination import Subject, examine, is_complete
from shared.scoring.judgement import Check, CheckKind
from shared.scoring.probe import Contact
from tests.support.fake_credentials import FakeCredentials
from tests.support.fake_prober import FakeProber
from tests.support.scoring_builders import GOLDEN, RIGHT, WRONG, a_subject
from tests.support.scripted import Asked, Behaviour, Scripted, always
from tests.support.virtual_time import run_virtually, seconds

ORIGIN = "http://weight.test"
KEYED: dict[str, Any] = {
    "credential": {"secret": "weight-key", "allow_plain_http": True},
}


class Scene:
    """One service, and what it was asked."""

    def __init__(self, behaviour: Behaviour | None, *keys: str, problem: str = "") -> None:
        services = {} if behaviour is None else {ORIGIN: behaviour}
        self.prober = FakeProber(now=lambda: datetime.now(UTC), services=services)
        problems = {"weight": problem} if problem else {}
        self.credentials = FakeCredentials(keys={"weight": keys}, problems=problems)
        self.seconds = 0.0

    def examine(
        self, subject: Subject, *, checked: Sequence[Check] = (), until: float | None = None
    ) -> Sequence[Check]:
        async def story() -> Sequence[Check]:
            found = await examine(
                subject,
                prober=self.prober,
                credentials=self.credentials,
                checked=checked,
                until=until,
            )
            self.seconds = seconds()
            return found

        return run_virtually(story())

    @property
    def asked(self) -> Sequence[Asked]:
        return self.prober.asked.get(ORIGIN, [])

    @property
    def targets(self) -> Sequence[str]:
        return [each.target for each in self.asked]


def plumber(asked: Asked) -> Scripted:
    return Scripted(body=RIGHT if asked.target.startswith("/weight") else b'{"alive":true}')


def guarded(right_key: str) -> Behaviour:
    """A service that answers one key alone."""

    def behave(asked: Asked) -> Scripted:
        allowed = asked.headers.get("authorization") == f"Bearer {right_key}"
        return plumber(asked) if allowed else Scripted(status=401)

    return behave


def test_the_cheap_routes_are_asked_first_then_the_golden_requests() -> None:
    scene = Scene(plumber)

    found = scene.examine(a_subject(checks={"ready": {"path": "/ready"}}))

    assert scene.targets == ["/live", "/ready", "/weight?height=138"]
    assert [each.kind for each in found] == [CheckKind.LIVE, CheckKind.READY, CheckKind.GOLDEN]
    assert [each.mismatches for each in found] == [(), (), ()]


def test_a_wrong_golden_answer_is_a_mismatch() -> None:
    scene = Scene(always(body=WRONG))

    *_, golden = scene.examine(a_subject())

    assert golden.name == "138"
    assert "161.8533" in golden.mismatches[0]


@pytest.mark.parametrize(
    "contact",
    [
        Contact.REFUSED,
        Contact.UNREACHABLE,
        Contact.CONNECT_TIMED_OUT,
        Contact.TLS_FAILED,
        Contact.CERTIFICATE_INVALID,
    ],
)
def test_where_no_connection_came_about_nothing_more_is_asked(contact: Contact) -> None:
    scene = Scene(always(contact=contact))

    (live,) = scene.examine(a_subject(checks={"ready": {"path": "/ready"}}))

    assert live.probe is not None
    assert live.probe.contact is contact
    assert scene.targets == ["/live"]


def test_of_a_silent_service_one_golden_request_is_asked_since_both_make_it_busy() -> None:
    scene = Scene(always(contact=Contact.TIMED_OUT))
    goldens = [GOLDEN, {**GOLDEN, "name": "other"}]

    found = scene.examine(a_subject(checks={"ready": {"path": "/ready"}, "golden": goldens}))

    assert [each.kind for each in found] == [CheckKind.LIVE, CheckKind.GOLDEN]
    assert {each.probe.contact for each in found if each.probe} == {Contact.TIMED_OUT}
    assert scene.seconds == 20


def test_a_part_begins_nothing_that_may_not_end_in_time_and_the_next_one_goes_on() -> None:
    scene = Scene(always(body=RIGHT, seconds=4))
    goldens = [{**GOLDEN, "name": f"{n}", "query": {"n": n}} for n in range(4)]
    subject = a_subject(checks={"golden": goldens})

    first = scene.examine(subject, until=15)
    took, done_with_first = scene.seconds, is_complete(subject, first)
    second = scene.examine(subject, checked=first, until=15)
    third = scene.examine(subject, checked=second, until=15)

    assert ([each.name for each in first], took) == (["/live", "0"], 8)
    assert [done_with_first, is_complete(subject, second), is_complete(subject, third)] == [
        False,
        False,
        True,
    ]
    assert scene.targets == ["/live", *(f"/weight?n={n}" for n in range(4))]
    assert [each.name for each in third] == ["/live", *"0123"]


def test_the_first_question_of_a_part_is_asked_however_late_it_is() -> None:
    scene = Scene(plumber)

    found = scene.examine(a_subject(), until=3)

    assert [each.name for each in found] == ["/live"]


def test_a_part_that_waits_too_long_for_an_answer_keeps_those_it_has() -> None:
    scene = Scene(
        lambda asked: replace(plumber(asked), seconds=9 if "weight" in asked.target else 0)
    )

    found = scene.examine(a_subject(), checked=scene.examine(a_subject(), until=3), until=3)

    assert [each.name for each in found] == ["/live"]
    assert scene.targets == ["/live", "/weight?height=138"]


def test_a_key_that_cannot_be_had_in_a_later_part_is_told_of_what_was_not_asked() -> None:
    first = Scene(plumber).examine(a_subject(), until=3)

    found = Scene(plumber, problem="no such secret").examine(a_subject(), checked=first, until=3)

    assert [each.probe is None for each in found] == [False, True]


def test_a_connection_that_was_cut_is_no_reason_to_ask_less() -> None:
    scene = Scene(always(contact=Contact.CUT))

    scene.examine(a_subject())

    assert scene.targets == ["/live", "/weight?height=138"]


def test_requests_stay_below_the_base_url() -> None:
    golden = {
        **GOLDEN,
        "method": "POST",
        "path": "/score",
        "query": {"unit": "a b", "deep": True},
        "body": {"data": "[[1, 2]]"},
    }
    scene = Scene(plumber)

    scene.examine(a_subject(url=f"{ORIGIN}/api/v1/service/weight/", checks={"golden": [golden]}))

    live, scored = scene.asked
    assert live.target == "/api/v1/service/weight/live"
    assert scored.target == "/api/v1/service/weight/score?unit=a%20b&deep=true"
    assert (scored.method, json.loads(scored.body)) == ("POST", {"data": "[[1, 2]]"})
    assert scored.headers["content-type"] == "application/json"


def test_a_post_without_a_body_sends_none() -> None:
    scene = Scene(plumber)

    scene.examine(a_subject(checks={"golden": [{**GOLDEN, "method": "POST"}]}))

    assert scene.asked[-1].body == b""
    assert "content-type" not in scene.asked[-1].headers


def test_every_request_is_signed_in_with_the_services_own_key() -> None:
    scene = Scene(guarded("k1"), "k1")

    found = scene.examine(a_subject(**KEYED))

    assert [each.headers["authorization"] for each in scene.asked] == ["Bearer k1"] * 2
    assert [each.mismatches for each in found] == [(), ()]


def test_a_key_that_is_refused_is_renewed_once() -> None:
    scene = Scene(guarded("k2"), "k1", "k2")

    found = scene.examine(a_subject(**KEYED))

    keys = [each.headers["authorization"].removeprefix("Bearer ") for each in scene.asked]
    assert keys == ["k1", "k2", "k2"]
    assert [each.mismatches for each in found] == [(), ()]
    assert scene.credentials.renewed == ["weight"]


def test_a_key_that_is_refused_again_is_not_renewed_again() -> None:
    scene = Scene(guarded("k9"), "k1", "k2")

    found = scene.examine(a_subject(**KEYED))

    assert scene.credentials.renewed == ["weight"]
    assert {each.probe.status for each in found if each.probe} == {401}


def test_a_key_that_comes_back_the_same_is_not_sent_again() -> None:
    scene = Scene(guarded("k9"), "k1")

    scene.examine(a_subject(**KEYED))

    assert scene.targets == ["/live", "/weight?height=138"]


def test_a_service_without_credential_that_wants_one_is_asked_no_vault() -> None:
    scene = Scene(guarded("k1"))

    found = scene.examine(a_subject())

    assert scene.credentials.renewed == []
    assert {each.probe.status for each in found if each.probe} == {401}


def test_a_route_that_takes_any_status_renews_no_key() -> None:
    def front_end(asked: Asked) -> Scripted:
        return Scripted(status=401) if asked.target == "/" else plumber(asked)

    scene = Scene(front_end, "k1", "k2")

    found = scene.examine(a_subject(checks={"live": {"path": "/", "status": None}}, **KEYED))

    assert scene.credentials.renewed == []
    assert [each.mismatches for each in found] == [(), ()]


@pytest.mark.parametrize("where", ["credential", "address"])
def test_without_a_credential_or_an_address_nothing_is_sent_and_each_check_says_why(
    where: str,
) -> None:
    why = "the vault has no secret weight-key"
    scene = Scene(plumber, problem=why if where == "credential" else "")

    found = scene.examine(a_subject(problem=why if where == "address" else ""))

    assert [(each.kind, each.probe, each.mismatches) for each in found] == [
        (CheckKind.LIVE, None, (why,)),
        (CheckKind.GOLDEN, None, (why,)),
    ]
    assert scene.asked == []


@pytest.mark.parametrize("unavailable", [True, False])
def test_a_check_says_whether_its_address_could_not_be_asked_for(*, unavailable: bool) -> None:
    subject = replace(a_subject(), problem="its address is not known", unavailable=unavailable)

    found = Scene(plumber).examine(subject)

    assert {each.unavailable for each in found} == {unavailable}


async def test_a_large_answer_is_read_while_other_services_are_asked() -> None:
    large = json.dumps({"response": ['[1,2,{"a":"[1]"}]'] * 10_000}).encode()
    scene, turns = Scene(always(body=large)), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    busy = asyncio.create_task(others())
    found = await examine(a_subject(), prober=scene.prober, credentials=scene.credentials)
    busy.cancel()

    assert found[-1].mismatches
    # As many as probing takes would be a handful.
    assert turns > 100


def test_no_key_is_in_what_an_examination_found() -> None:
    scene = Scene(guarded("canary-key"), "canary-key")

    found = scene.examine(a_subject(**KEYED))

    assert "canary-key" not in repr(found)


def test_a_golden_answer_that_holds_the_key_by_chance_is_right() -> None:
    scene = Scene(plumber, "161")

    *_, golden = scene.examine(a_subject(**KEYED))

    assert golden.mismatches == ()


def test_an_examination_that_is_cancelled_asks_nothing_more() -> None:
    scene = Scene(always(seconds=5))

    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await examine(a_subject(), prober=scene.prober, credentials=scene.credentials)
        await asyncio.sleep(100)

    run_virtually(story())

    assert scene.targets == ["/live"]
