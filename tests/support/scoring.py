"""Builders of scoring services, probes and checks: a valid one, of which a test names what matters."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.scoring.examined import examine_golden, examine_route
from shared.scoring.judgement import Check, CheckKind, Judgement, Verdict
from shared.scoring.probe import Contact, Probe
from shared.scoring.service import Checks, Expectation, Golden, Route

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIVE = Route(path="/live")
WEIGHT = Golden(
    name="height-138",
    path="/weight",
    query={"height": 138},
    expect=(Expectation(at="$.response", equals=161.8533),),
)
RULES = Checks(live=LIVE, golden=(WEIGHT,))
RIGHT = {"response": [161.8533]}


def a_probe(contact: Contact = Contact.ANSWERED, **more: Any) -> Probe:
    given: dict[str, Any] = {"at": NOON, "seconds": 0.05, "contact": contact}
    if contact is Contact.ANSWERED:
        given |= {"status": 200, "connect_seconds": 0.001}
    return Probe(**(given | more))


def an_answer(document: Any, **more: Any) -> Probe:
    return a_probe(body=json.dumps(document).encode(), **more)


def a_live_check(probe: Probe | None = None) -> Check:
    return examine_route(CheckKind.LIVE, LIVE, probe or a_probe(body=b"OK"))


def a_golden_check(probe: Probe | None = None, golden: Golden = WEIGHT) -> Check:
    return examine_golden(golden, probe or an_answer(RIGHT))


def a_judgement(
    verdict: Verdict = Verdict.HEALTHY, *, minutes: float = 0, **more: Any
) -> Judgement:
    """One at noon, or so many minutes after."""
    at = NOON + timedelta(minutes=minutes)
    given: dict[str, Any] = {"evidence": "golden_right", "text": "seen"}
    return Judgement(verdict=verdict, at=at, **(given | more))
