"""Maintenance of a service: asked for with an end and a reason, and over by itself."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import InvalidRequestError
from shared.scoring.maintenance import Maintenance, parse_maintenance
from tests.support.scoring import NOON

GOOD = {"until": "2026-11-21T14:00:00+01:00", "reason": "new model"}


def parsed(body: Any) -> Maintenance:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_maintenance(raw, service="weight", opened_by="ada", now=NOON)


def test_a_maintenance_has_an_end_a_reason_and_somebody_who_asked() -> None:
    found = parsed(GOOD)

    assert found.until == NOON + timedelta(hours=1)
    assert (found.service, found.reason, found.opened_by) == ("weight", "new model", "ada")
    assert found.opened_at == NOON


@pytest.mark.parametrize(("minutes", "holds"), [(-1, False), (0, True), (59, True), (60, False)])
def test_it_holds_from_its_begin_until_before_its_end(
    minutes: int,
    holds: bool,  # noqa: FBT001  # what a row says
) -> None:
    assert parsed(GOOD).holds(NOON + timedelta(minutes=minutes)) is holds


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{half", "body"),
        ([], "body"),
        ({}, "until"),
        (GOOD | {"forever": True}, "forever"),
        (GOOD | {"reason": " "}, "reason"),
        (GOOD | {"reason": "x" * 501}, "reason"),
        (GOOD | {"reason": 3}, "reason"),
        (GOOD | {"until": None}, "until"),
        (GOOD | {"until": "tomorrow"}, "until"),
        (GOOD | {"until": "2026-11-21T14:00:00"}, "until"),
        (GOOD | {"until": "2026-11-21T12:00:00Z"}, "until"),
        (GOOD | {"until": "2026-11-28T12:00:01Z"}, "until"),
        (GOOD | {"until": "0001-01-01T00:00:00+14:00"}, "until"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(body: Any, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(body)

    assert (caught.value.field, caught.value.status) == (field, 400)


def test_a_large_body_is_refused_unread() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(b" " * 70_000)

    assert caught.value.status == 413
