"""How often Python looks for cycles of garbage in this process."""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000


def collect_rarely() -> None:
    """Look for cycles after 50,000 new objects, where Python would do so after 700 or 2,000.

    A round holds what it knows of a thousand services until its end: each look meanwhile goes through
    all of that and finds nothing. Memory stays as it was (`make bench ONLY=scoring_round`). Source:
    `gc.set_threshold` of Python's standard library.
    """
    gc.set_threshold(NEW_OBJECTS)
