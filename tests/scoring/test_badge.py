"""A badge says in words, and in a colour that can be read, how a service stands."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.scoring.badge import COLOURS, MAINTENANCE_COLOUR, NEUTRAL_COLOUR, badge
from shared.scoring.judgement import Verdict
from shared.scoring.state import Health, ServiceState
from tests.support.scoring import NOON

SVG = "{http://www.w3.org/2000/svg}"
HEALTHY = ServiceState(
    health=Health.HEALTHY, verdict=Verdict.HEALTHY, evidence="golden_right", checked_at=NOON
)


def parsed(state: ServiceState, label: str = "weight", **more: bool) -> ET.Element:
    return ET.fromstring(badge(label, state, at=NOON, **more))  # noqa: S314  # our own


def title(element: ET.Element) -> str | None:
    return element.findtext(f"{SVG}title")


def colour(element: ET.Element) -> str | None:
    return element.findall(f"{SVG}rect")[1].get("fill")


@pytest.mark.parametrize(
    ("state", "said", "shown"),
    [
        (ServiceState(), "unknown", COLOURS[Health.UNKNOWN]),
        (HEALTHY, "healthy", COLOURS[Health.HEALTHY]),
        (replace(HEALTHY, verdict=Verdict.SLOW), "healthy, slow", NEUTRAL_COLOUR),
        (
            replace(HEALTHY, evidence="answers_only"),
            "healthy, answers only",
            COLOURS[Health.UNKNOWN],
        ),
        (replace(HEALTHY, evidence="of a later version"), "healthy", COLOURS[Health.UNKNOWN]),
        (replace(HEALTHY, checked_at=None), "healthy", COLOURS[Health.UNKNOWN]),
        (replace(HEALTHY, flapping=True), "flapping, last look good", COLOURS[Health.FLAPPING]),
        (
            ServiceState(health=Health.UNHEALTHY, verdict=Verdict.WRONG),
            "unhealthy, wrong",
            COLOURS[Health.UNHEALTHY],
        ),
        (
            replace(HEALTHY, health=Health.UNHEALTHY),
            "unhealthy, last look good",
            COLOURS[Health.UNHEALTHY],
        ),
    ],
)
def test_a_badge_says_how_a_service_stands(state: ServiceState, said: str, shown: str) -> None:
    found = parsed(state)

    assert title(found) == found.get("aria-label") == f"weight: {said}"
    assert colour(found) == shown


@pytest.mark.parametrize(
    ("health", "minutes", "said", "shown"),
    [
        (Health.HEALTHY, 15, "healthy", COLOURS[Health.HEALTHY]),
        (Health.HEALTHY, 16, "healthy, not checked lately", COLOURS[Health.UNKNOWN]),
        (Health.UNHEALTHY, 16, "unhealthy, not checked lately", COLOURS[Health.UNHEALTHY]),
    ],
)
def test_only_what_was_checked_lately_is_green(
    health: Health, minutes: int, said: str, shown: str
) -> None:
    checked_at = NOON - timedelta(minutes=minutes)
    found = parsed(ServiceState(health=health, evidence="golden_right", checked_at=checked_at))

    assert title(found) == f"weight: {said}"
    assert colour(found) == shown


def test_maintenance_is_shown_with_what_is_so() -> None:
    found = parsed(ServiceState(health=Health.UNHEALTHY), in_maintenance=True)

    assert title(found) == "weight: maintenance, unhealthy"
    assert colour(found) == MAINTENANCE_COLOUR


def test_a_label_cannot_break_out_of_the_image() -> None:
    found = parsed(HEALTHY, label='"/><script>&')

    assert title(found) == '"/><script>&: healthy'
    assert found.find(f".//{SVG}script") is None


def luminance(code: str) -> float:
    parts = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("code", [*COLOURS.values(), MAINTENANCE_COLOUR, NEUTRAL_COLOUR])
def test_white_text_can_be_read_on_every_colour(code: str) -> None:
    assert 1.05 / (luminance(code) + 0.05) >= 4.5
