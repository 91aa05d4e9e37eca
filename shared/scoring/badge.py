"""A badge of a service's health, as SVG: what it is called, in words and in a colour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

from shared.scoring.judgement import NEUTRAL, Proven, Verdict
from shared.scoring.proof import proven_by
from shared.scoring.state import Health, ServiceState

MEDIA_TYPE = "image/svg+xml"
# White text on each of these has a contrast of 4.5 or more (WCAG 2.2, 1.4.3).
COLOURS: Mapping[Health, str] = {
    Health.HEALTHY: "#2e7d32",
    Health.UNHEALTHY: "#c62828",
    Health.FLAPPING: "#8e4b00",
    Health.UNKNOWN: "#5f6368",
}
MAINTENANCE_COLOUR = "#1565c0"
NEUTRAL_COLOUR = "#795900"
_LABEL_COLOUR = "#424242"
_PIXELS_A_CHARACTER, _PADDING = 7, 12


def badge(label: str, state: ServiceState, *, at: datetime, in_maintenance: bool = False) -> str:
    """Return the badge of a service at a moment; `label` stands on its left."""
    stale = state.is_stale(at)
    message = _message(state, in_maintenance=in_maintenance, stale=stale)
    colour = _colour(state, in_maintenance=in_maintenance, stale=stale)
    left, right = _width(label), _width(message)
    title = escape(f"{label}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<rect width="{left}" height="20" fill="{_LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        'text-anchor="middle">'
        f"{_text(label, left // 2)}{_text(message, left + right // 2)}</g></svg>"
    )


def _message(state: ServiceState, *, in_maintenance: bool, stale: bool) -> str:
    words = ["maintenance"] if in_maintenance else []
    words.append(str(state.standing))
    if state.verdict is not None and str(state.verdict) not in words:
        # One good look does not make a service healthy: "unhealthy, healthy" would say nothing.
        is_good = state.verdict is Verdict.HEALTHY
        words.append("last look good" if is_good else str(state.verdict))
    if proven_by(state.evidence) is Proven.ANSWERS_ONLY:
        words.append("answers only")
    if stale:
        words.append("not checked lately")
    return ", ".join(words)


def _colour(state: ServiceState, *, in_maintenance: bool, stale: bool) -> str:
    if in_maintenance:
        return MAINTENANCE_COLOUR
    if state.standing is not Health.HEALTHY:
        return COLOURS[state.standing]
    if state.verdict in NEUTRAL and not stale:
        return NEUTRAL_COLOUR
    # Green is only what was seen to answer right, lately; that somebody answers proves no health.
    is_known = state.checked_at is not None and not stale
    is_right = proven_by(state.evidence) is Proven.RIGHT_ANSWERS
    return COLOURS[Health.HEALTHY if is_known and is_right else Health.UNKNOWN]


def _width(text: str) -> int:
    return _PIXELS_A_CHARACTER * len(text) + _PADDING


def _text(text: str, middle: int) -> str:
    # The width is given, so that text fits whatever font there is.
    length = _PIXELS_A_CHARACTER * len(text)
    return f'<text x="{middle}" y="14" textLength="{length}">{escape(text)}</text>'
