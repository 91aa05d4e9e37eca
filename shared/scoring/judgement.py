"""What is thought of a service after its checks: one word, the evidence for it, and the checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.scoring.probe import Probe


class Verdict(StrEnum):
    """What is thought of a service."""

    HEALTHY = "healthy"
    SLOW = "slow"
    BUSY = "busy"
    WRONG = "wrong"
    UNAUTHORISED = "unauthorised"
    CERTIFICATE = "certificate"
    MISCONFIGURED = "misconfigured"
    DOWN = "down"


FAILURES = frozenset(
    {
        Verdict.DOWN,
        Verdict.WRONG,
        Verdict.UNAUTHORISED,
        Verdict.CERTIFICATE,
        Verdict.MISCONFIGURED,
    }
)
NEUTRAL = frozenset({Verdict.BUSY, Verdict.SLOW})


class Proven(StrEnum):
    """What a check has proven: that answers are right, that somebody answers, or nothing."""

    RIGHT_ANSWERS = "right_answers"
    ANSWERS_ONLY = "answers_only"
    NOTHING = "nothing"


class CheckKind(StrEnum):
    """The three questions: is it there, is its model loaded, is its answer right."""

    LIVE = "live"
    READY = "ready"
    GOLDEN = "golden"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question and what came back.

    `mismatches`: what differs from the expectation, a sentence each, empty where all is as
    expected. `error_text`: an error told inside an answer that says 200. `probe` is None where
    nothing could be sent (no credential), and `mismatches` then says why; `unavailable`: for a
    reason that is no service's, and will pass.
    """

    kind: CheckKind
    name: str
    probe: Probe | None
    mismatches: tuple[str, ...] = ()
    error_text: str = ""
    unavailable: bool = False


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One word about a service, and why.

    `evidence` is a word of the closed set in `shared.scoring.evidence`; `text` says it in a
    sentence, without secrets; `seconds` is the slowest golden answer, None without one.
    """

    verdict: Verdict
    evidence: str
    text: str
    at: datetime
    checks: Sequence[Check] = ()
    seconds: float | None = None
