"""Judge one service for a round: a failure counts only when it was seen three times in a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.scoring.credentials import Credentials
from shared.scoring.examination import Subject, examine
from shared.scoring.judgement import FAILURES, Judgement, Verdict
from shared.scoring.pacing import InTurn, Turns
from shared.scoring.platform_evidence import Platform
from shared.scoring.probe import Prober
from shared.scoring.verdict import judge

REPEATS = 2
REPEAT_AFTER_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Examines services, one at a time or side by side.

    `turns` are shared with all others who probe on this event loop. `platform` is asked about a
    service that answers nothing.
    """

    prober: Prober
    credentials: Credentials
    now: Callable[[], datetime]
    turns: Turns = field(default_factory=Turns, repr=False)
    platform: Platform | None = None

    async def judge(self, subject: Subject, *, repeats: int = REPEATS) -> Sequence[Judgement]:
        """Judge a service until it does not fail, at most 1 + `repeats` times; the last one counts.

        A busy or slow service is not asked again: that would keep it busy.
        """
        judgements = [await self._judge_once(subject)]
        while judgements[-1].verdict in FAILURES and len(judgements) <= repeats:
            await asyncio.sleep(REPEAT_AFTER_SECONDS)
            judgements.append(await self._judge_once(subject))
        return tuple(judgements)

    async def _judge_once(self, subject: Subject) -> Judgement:
        name = subject.service.name
        prober = InTurn(prober=self.prober, service=name, turns=self.turns)
        checks = await examine(subject, prober=prober, credentials=self.credentials)
        judgement = judge(subject.rules, checks, at=self.now())
        if judgement.verdict is Verdict.BUSY and self.platform is not None:
            evidence = await self.platform.evidence_of(subject.service)
            judgement = judge(subject.rules, checks, at=self.now(), platform=evidence)
        return judgement
