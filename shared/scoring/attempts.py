"""Judge one service for a round: a failure counts only when it was seen three times in a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.scoring.azure_word import AzureWords
from shared.scoring.credentials import Credentials
from shared.scoring.evidence import Evidence
from shared.scoring.examination import Subject, examine
from shared.scoring.judgement import FAILURES, Check, Judgement, Verdict
from shared.scoring.pacing import InTurn, Turns
from shared.scoring.platform_evidence import Platform
from shared.scoring.probe import Prober
from shared.scoring.verdict import judge

REPEATS = 2
REPEAT_AFTER_SECONDS = 10.0
_HANGS_ON_AZURES_WORD = frozenset({Evidence.AZURE_UNHEALTHY, Evidence.ANSWERS_ONLY})


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Examines services, one at a time or side by side.

    `turns` are shared with all others who probe on this event loop. `platform` is asked about a
    service that answers nothing, `azure` about one that answers and that Azure called broken.
    """

    prober: Prober
    credentials: Credentials
    now: Callable[[], datetime]
    turns: Turns = field(default_factory=Turns, repr=False)
    platform: Platform | None = None
    azure: AzureWords | None = None

    async def judge(self, subject: Subject, *, repeats: int = REPEATS) -> Sequence[Judgement]:
        """Judge a service until it does not fail, at most 1 + `repeats` times; the last one counts.

        A busy or slow service is not asked again: that would keep it busy. Nor is one that answers,
        and that Azure calls broken: ten seconds later that says nothing new.
        """
        judgements = [await self._judge_once(subject)]
        while _may_pass(judgements[-1]) and len(judgements) <= repeats:
            await asyncio.sleep(REPEAT_AFTER_SECONDS)
            judgements.append(await self._judge_once(subject))
        return tuple(judgements)

    async def ask(
        self, subject: Subject, *, checked: Sequence[Check] = (), until: float | None = None
    ) -> tuple[Check, ...]:
        """Ask what is declared, or the part of it that may be asked `until` then: see `examine`."""
        prober = InTurn(prober=self.prober, service=subject.service.name, turns=self.turns)
        return await examine(
            subject,
            prober=prober,
            credentials=self.credentials,
            checked=checked,
            until=until,
        )

    async def weigh(self, subject: Subject, checks: Sequence[Check]) -> Judgement:
        """Judge a service by its checks, and by what its platform and Azure say of it."""
        judgement = await self._weigh(subject, checks)
        if judgement.verdict is Verdict.BUSY and self.platform is not None:
            evidence = await self.platform.evidence_of(subject.service)
            judgement = judge(subject.rules, checks, at=self.now(), platform=evidence)
        return judgement

    async def _judge_once(self, subject: Subject) -> Judgement:
        return await self.weigh(subject, await self.ask(subject))

    async def _weigh(self, subject: Subject, checks: Sequence[Check]) -> Judgement:
        word = subject.azure
        judgement = judge(subject.rules, checks, at=self.now(), azure=word)
        if word is None or not word.says_ill or self.azure is None:
            return judgement
        if judgement.evidence not in _HANGS_ON_AZURES_WORD:
            return judgement
        # It may have recovered since the list was made.
        word = await self.azure.read(word)
        return judge(subject.rules, checks, at=self.now(), azure=word)


def _may_pass(judgement: Judgement) -> bool:
    return judgement.verdict in FAILURES and judgement.evidence != Evidence.AZURE_UNHEALTHY
