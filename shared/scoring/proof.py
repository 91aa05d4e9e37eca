"""What a service's last look has proven: right answers, that somebody answers, or nothing. Pure.

A verdict says what was seen amiss. Where nothing was, that may be for want of anything to compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.scoring.evidence import Evidence
from shared.scoring.judgement import Proven

_PROOFS: Final[Mapping[str, Proven]] = {
    Evidence.GOLDEN_RIGHT: Proven.RIGHT_ANSWERS,
    Evidence.OVER_BUDGET: Proven.RIGHT_ANSWERS,
    Evidence.ROUTE_TIMED_OUT: Proven.RIGHT_ANSWERS,
    Evidence.ANSWERS_ONLY: Proven.ANSWERS_ONLY,
}


def proven_by(evidence: str) -> Proven:
    """Return what an evidence proves; one that nobody knows proves nothing."""
    return _PROOFS.get(evidence, Proven.NOTHING)
