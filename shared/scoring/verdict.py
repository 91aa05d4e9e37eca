"""Judge a service by its checks: one word, and the evidence for it. Pure: no network, no clock.

A golden answer that is right is the only proof of health, so it overrules cheap routes that gave
no answer. Of several findings the one nearest to the root cause speaks; docs/scoring-verdicts.md
has the order and its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.scoring.azure_word import AzureWord
from shared.scoring.evidence import VERDICTS, sentence
from shared.scoring.evidence import Evidence as Evidence  # noqa: PLC0414  # the words of a judgement
from shared.scoring.finding import find
from shared.scoring.judgement import Check, CheckKind, Judgement, Verdict
from shared.scoring.platform_evidence import PlatformEvidence
from shared.scoring.service import Checks
from shared.shortening import shortened

# Nearest to the root cause first: without a name there is no connection, without a connection no
# certificate, without access no answer, without an answer no golden one.
_ORDER = (
    Evidence.NAME_UNKNOWN,
    Evidence.REFUSED,
    Evidence.UNREACHABLE,
    Evidence.CONNECT_TIMED_OUT,
    Evidence.CERTIFICATE_INVALID,
    Evidence.TLS_FAILED,
    Evidence.NOT_HTTP,
    Evidence.NO_REPLICAS,
    Evidence.CUT,
    Evidence.ERROR_EVERYWHERE,
    Evidence.KEY_REFUSED,
    Evidence.FORBIDDEN,
    Evidence.NOT_SENT,
    Evidence.SOURCE_UNAVAILABLE,
    Evidence.REDIRECTED,
    Evidence.ERROR_IN_ANSWER,
    Evidence.GOLDEN_DIFFERS,
    Evidence.TOO_LARGE,
    Evidence.ERROR_STATUS,
    Evidence.REQUEST_REFUSED,
    Evidence.ROUTE_ABSENT,
    Evidence.ROUTE_DIFFERS,
    Evidence.OVERLOADED,
    Evidence.GATEWAY_TIMED_OUT,
    Evidence.TIMED_OUT,
    Evidence.GOLDEN_TIMED_OUT,
    Evidence.ROUTE_TIMED_OUT,
)
_NO_WHOLE_ANSWER = frozenset(
    {
        Evidence.NAME_UNKNOWN,
        Evidence.TLS_FAILED,
        Evidence.REFUSED,
        Evidence.UNREACHABLE,
        Evidence.CONNECT_TIMED_OUT,
        Evidence.CUT,
        Evidence.TOO_LARGE,
        Evidence.TIMED_OUT,
        Evidence.GATEWAY_TIMED_OUT,
        Evidence.OVERLOADED,
    }
)
_SAY_NO_MORE_THAN_THAT_IT_ANSWERS = frozenset(
    {Evidence.ANSWERS_ONLY, Evidence.CERTIFICATE_ENDS_SOON}
)
_GATEWAY_FAILURES = frozenset({502, 503})
_MAX_TEXT = 500


@dataclass(frozen=True, kw_only=True)
class _Found:
    evidence: Evidence
    check: Check | None = None
    text: str = ""


def judge(
    rules: Checks,
    checks: Sequence[Check],
    *,
    at: datetime,
    platform: PlatformEvidence | None = None,
    azure: AzureWord | None = None,
) -> Judgement:
    """Judge a service by the checks of one round, in the order in which they were made.

    `rules` is what is declared, with the preset applied; `platform` what its platform says,
    `azure` what Azure's list does: that counts only where no golden request is declared.
    """
    weighed = _weigh(rules, checks, at=at)
    if azure is not None and not rules.golden:
        weighed = _in_azures_light(weighed, azure, at=at)
    found = _shorten_doubt(weighed, platform)
    return Judgement(
        verdict=VERDICTS[found.evidence],
        evidence=found.evidence,
        text=_text(found),
        at=at,
        checks=tuple(checks),
        seconds=_slowest_golden(checks),
    )


def may_become_right(rules: Checks, checks: Sequence[Check]) -> bool:
    """Whether right answers to what was not asked yet could make it healthy, or slow at worst."""
    found = [_Found(evidence=each, check=check) for check in checks if (each := find(check))]
    return not any(_is_golden(each) or _condemns(each, rules) for each in found)


def _condemns(found: _Found, rules: Checks) -> bool:
    return _stands(found, rules) and found.evidence is not Evidence.TIMED_OUT


def _is_golden(found: _Found) -> bool:
    return found.check is not None and found.check.kind is CheckKind.GOLDEN


def _weigh(rules: Checks, checks: Sequence[Check], *, at: datetime) -> _Found:
    if not checks:
        return _Found(evidence=Evidence.NO_CHECK)
    found = _findings(rules, checks)
    for evidence in _ORDER:
        for each in found:
            if each.evidence is evidence:
                return each
    return _nothing_amiss(rules, checks, at=at)


def _findings(rules: Checks, checks: Sequence[Check]) -> Sequence[_Found]:
    """Return what is amiss, each seen in the light of the other checks."""
    alone = [(check, find(check)) for check in checks]
    found = [_Found(evidence=each, check=check) for check, each in alone if each]
    if len(found) == len(checks) and _all_failing(found):
        return [_Found(evidence=Evidence.ERROR_EVERYWHERE, check=found[0].check)]
    goldens = [each for check, each in alone if check.kind is CheckKind.GOLDEN]
    if goldens and not any(goldens):
        return [_overruled(each) for each in found if _stands(each, rules)]
    return [_narrowed(each, all_silent=len(found) == len(checks)) for each in found]


def _all_failing(found: Sequence[_Found]) -> bool:
    if any(each.evidence is not Evidence.ERROR_STATUS for each in found):
        return False
    # One answer alone says little: a 500 is the model's own, 502 and 503 say nobody is behind.
    return len(found) > 1 or _status(found[0].check) in _GATEWAY_FAILURES


def _stands(found: _Found, rules: Checks) -> bool:
    """Whether a cheap route's finding outlives golden answers that are right."""
    is_live = found.check is not None and found.check.kind is CheckKind.LIVE
    if is_live and rules.live is not None and rules.live.status is None:
        # A guess that somebody answers: golden answers prove as much.
        return found.evidence is Evidence.TIMED_OUT
    return found.evidence not in _NO_WHOLE_ANSWER or found.evidence is Evidence.TIMED_OUT


def _overruled(found: _Found) -> _Found:
    if found.evidence is Evidence.TIMED_OUT:
        return _Found(evidence=Evidence.ROUTE_TIMED_OUT, check=found.check)
    return found


def _narrowed(found: _Found, *, all_silent: bool) -> _Found:
    if found.evidence is Evidence.TIMED_OUT and _is_golden(found) and not all_silent:
        return _Found(evidence=Evidence.GOLDEN_TIMED_OUT, check=found.check)
    return found


def _nothing_amiss(rules: Checks, checks: Sequence[Check], *, at: datetime) -> _Found:
    goldens = [check for check in checks if check.kind is CheckKind.GOLDEN]
    if {each.name for each in rules.golden} - {check.name for check in goldens}:
        return _Found(evidence=Evidence.GOLDEN_NOT_ASKED)
    ending = [check for check in checks if _ends_soon(check, rules.certificate_days, at)]
    if ending:
        return _Found(evidence=Evidence.CERTIFICATE_ENDS_SOON, check=ending[0])
    if not goldens:
        return _Found(evidence=Evidence.ANSWERS_ONLY)
    slowest = max(goldens, key=_seconds)
    if _seconds(slowest) > rules.latency_budget_seconds:
        return _Found(evidence=Evidence.OVER_BUDGET, check=slowest)
    return _Found(evidence=Evidence.GOLDEN_RIGHT)


def _in_azures_light(found: _Found, azure: AzureWord, *, at: datetime) -> _Found:
    """Heed Azure's word on who answers: nobody knows which answer is right."""
    if found.evidence not in _SAY_NO_MORE_THAN_THAT_IT_ANSWERS or not azure.said:
        return found
    if azure.says_ill and azure.speaks_for(at):
        text = f"It answers, but Azure {azure.said}"
        return _Found(evidence=Evidence.AZURE_UNHEALTHY, text=text)
    if found.evidence is not Evidence.ANSWERS_ONLY:
        return found
    return replace(found, text=f"{sentence(found.evidence)} Azure {azure.said}")


def _shorten_doubt(found: _Found, platform: PlatformEvidence | None) -> _Found:
    if platform is None or VERDICTS[found.evidence] is not Verdict.BUSY:
        return found
    return _Found(evidence=Evidence.NOT_RUNNING) if platform.nothing_runs else found


def _ends_soon(check: Check, days: int, at: datetime) -> bool:
    ends = check.probe.certificate_ends if check.probe else None
    return ends is not None and ends - at < timedelta(days=days)


def _slowest_golden(checks: Sequence[Check]) -> float | None:
    answered = [each for each in checks if each.kind is CheckKind.GOLDEN and _status(each)]
    return max(map(_seconds, answered), default=None)


def _seconds(check: Check) -> float:
    return check.probe.seconds if check.probe else 0.0


def _status(check: Check | None) -> int | None:
    return check.probe.status if check and check.probe else None


def _text(found: _Found) -> str:
    if found.check is None:
        return shortened(found.text or sentence(found.evidence), _MAX_TEXT)
    details = ": ".join(filter(None, [_name(found.check), _detail(found.check)]))
    return shortened(f"{sentence(found.evidence)} {details}", _MAX_TEXT)


def _name(check: Check) -> str:
    return f"{check.kind} {check.name}" if check.name != check.kind else str(check.kind)


def _detail(check: Check) -> str:
    probe = check.probe
    if check.mismatches or check.error_text:
        return check.error_text or check.mismatches[0]
    if probe is None:
        return ""
    return probe.detail or f"{probe.seconds:.1f} s"
