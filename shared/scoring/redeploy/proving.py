"""Prove a service by its golden requests, as many in one step as its time allows.

An examination that takes longer goes on in the next step, from what the record holds of it. It is
judged when all is asked, as one that took a single step; what cannot become right ends it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.scoring.attempts import Examiner
from shared.scoring.evidence import Evidence
from shared.scoring.examination import is_complete
from shared.scoring.judgement import Check, Judgement, Verdict
from shared.scoring.probe import Probe, Prober, ProbeRequest
from shared.scoring.redeploy.mover import Mover, Snapshot
from shared.scoring.redeploy.record import Proof, Redeploy, Task
from shared.scoring.redeploy.seen import Examined, PartlyExamined, Trouble
from shared.scoring.verdict import may_become_right

# Of the 50 s of a step; the rest is for its credential, and for what its platform says of it.
ASKING_SECONDS: Final = 45.0
LONGEST_ANSWER_SECONDS: Final = 40.0
_RIGHT: Final = frozenset({Verdict.HEALTHY, Verdict.SLOW})


@dataclass(frozen=True, kw_only=True)
class Proving:
    """Examines what is new, or what was put back. `seconds`: how long it may ask in one step."""

    examiner: Examiner
    seconds: float = ASKING_SECONDS

    async def go_on(
        self, redeploy: Redeploy, mover: Mover, snapshot: Snapshot
    ) -> Examined | PartlyExamined | Trouble:
        """Ask what the examination under way has left to ask, within a step's time."""
        subject, until = redeploy.subject, asyncio.get_running_loop().time() + self.seconds
        examiner = self._of(redeploy, mover, snapshot)
        checks = await examiner.ask(subject, checked=redeploy.checked, until=until)
        if is_complete(subject, checks) or not may_become_right(subject.rules, checks):
            return _seen(redeploy, await examiner.weigh(subject, checks))
        if len(checks) == len(redeploy.checked):
            text = f"none of its checks ended within {self.seconds:g} s: others may ask it, too"
            return Trouble(text=text, retryable=True)
        return PartlyExamined(checks=tuple(map(_recorded, checks)), text=_so_far(checks))

    def _of(self, redeploy: Redeploy, mover: Mover, snapshot: Snapshot) -> Examiner:
        if redeploy.task is not Task.PROVE:
            return self.examiner
        to_new = mover.proof_headers(
            snapshot=snapshot, marker=redeploy.marker, share=redeploy.share
        )
        prober = WithHeaders(prober=self.examiner.prober, headers=to_new)
        return replace(self.examiner, prober=prober)


@dataclass(frozen=True, kw_only=True)
class WithHeaders:
    """A prober that sends these headers along, so that golden requests reach what is new."""

    prober: Prober
    headers: Mapping[str, str]

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send it with them."""
        headers = {**request.headers, **self.headers}
        return await self.prober.probe(replace(request, headers=headers))


def _seen(redeploy: Redeploy, judgement: Judgement) -> Examined | Trouble:
    if judgement.evidence == Evidence.SOURCE_UNAVAILABLE:
        return Trouble(text=judgement.text, retryable=True, blind=True)
    proof = Proof(
        at=judgement.at,
        of="new" if redeploy.task is Task.PROVE else "old",
        passed=judgement.verdict in _RIGHT,
        verdict=str(judgement.verdict),
        evidence=str(judgement.evidence),
        text=judgement.text,
    )
    return Examined(proof=proof, wrong=judgement.verdict is Verdict.WRONG)


def _so_far(checks: Sequence[Check]) -> str:
    return f"{len(checks)} of its checks are made, and nothing speaks against it so far"


def _recorded(check: Check) -> Check:
    """Return what judging needs of a check: a cookie that a service hands out is nobody's business."""
    if check.probe is None:
        return check
    # The words of front ends are ASCII, and JSON knows no other bytes.
    body = check.probe.body.decode("ascii", errors="ignore").encode()
    return replace(check, probe=replace(check.probe, headers={}, body=body))
