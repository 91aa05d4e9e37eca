"""One round of health checks: all services side by side, judged, taken in, and reported.

One service never spares or delays another: each has a task of its own, and one that breaks this app's
own code is named in the report while the others are checked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from shared.scoring.attempts import Examiner
from shared.scoring.blame import Witness, our_fault
from shared.scoring.examination import Subject
from shared.scoring.judgement import Judgement
from shared.scoring.memory import MOST_TRIES, OTHERS, Memory, Remembered
from shared.scoring.records import Records
from shared.scoring.round_report import Checked, RoundReport, Unchecked
from shared.scoring.state import ServiceState, advance

logger = logging.getLogger(__name__)

Judged: TypeAlias = tuple[Subject, Sequence[Judgement]]
# Tells people of a round; whether that is known to be on its way to them.
Tell: TypeAlias = Callable[[RoundReport], Awaitable[bool]]


async def _tell_nobody(_: RoundReport) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class HealthRounds:
    """The use case of the timer. `remembered` is kept by the worker, from round to round."""

    examiner: Examiner
    records: Records
    remembered: Remembered = field(default_factory=Remembered)

    async def run(
        self, subjects: Sequence[Subject], *, time_limit: timedelta, tell: Tell = _tell_nobody
    ) -> RoundReport:
        """Check each service once. Who is not judged within `time_limit` is reported unchecked.

        That people were told is recorded after `tell`: a worker that dies in between leaves it to
        the next round to tell them, be it again.
        Names are unique. Raises nothing of what is wrong with a service or with storage.
        """
        started_at = self.examiner.now()
        memory = Memory(records=self.records, remembered=self.remembered)
        judged, unchecked = await self._judge_all(subjects, time_limit)
        services, outage = await self._take_in(judged, memory)
        # What was not judged for what it is, is no time up nor down: it is left unknown.
        await memory.keep_rows([each.row for each in services if not each.during_outage])
        report = RoundReport(
            started_at=started_at,
            ended_at=self.examiner.now(),
            services=services,
            unchecked=unchecked,
            outage=outage,
            lost=tuple(memory.lost),
        )
        if await tell(report):
            await memory.keep_told({each.name: each.state for each in services if each.alerts})
        return replace(report, lost=tuple(memory.lost))

    async def _judge_all(
        self, subjects: Sequence[Subject], time_limit: timedelta
    ) -> tuple[Sequence[Judged], Sequence[Unchecked]]:
        tasks = {asyncio.create_task(self.examiner.judge(each)): each for each in subjects}
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=time_limit.total_seconds())
        finally:
            await _end(tasks)
        judged = [(tasks[task], task.result()) for task in tasks if _has_result(task)]
        unchecked = [
            _unchecked(each, task) for task, each in tasks.items() if not _has_result(task)
        ]
        return judged, unchecked

    async def _take_in(
        self, judged: Sequence[Judged], memory: Memory
    ) -> tuple[Sequence[Checked], str]:
        states = await memory.states_of([subject.service.name for subject, _ in judged])
        resting = await memory.in_maintenance(self.examiner.now())
        fault = our_fault([_witness(subject, found[-1], states) for subject, found in judged])
        taking = _Taking(
            resting=resting,
            excused=fault.excused if fault else frozenset(),
        )
        services = await _keep_each(judged, states, taking, memory)
        return services, fault.text if fault else ""


async def _keep_each(
    judged: Sequence[Judged], states: Mapping[str, ServiceState], taking: _Taking, memory: Memory
) -> Sequence[Checked]:
    """Take the judgements in, each after what another worker's round may write meanwhile."""
    services: dict[str, Checked] = {}
    for _ in range(MOST_TRIES):
        found = [taking.take(*each, states[each[0].service.name]) for each in judged]
        services |= {each.name: each for each in found}
        states = await memory.keep_states(
            {each.name: each.untold for each in found if not each.during_outage}
        )
        judged = [each for each in judged if each[0].service.name in states]
        if not judged:
            return tuple(services.values())
    memory.lost.append(f"{len(judged)} states were not written: {OTHERS}")
    return tuple(services.values())


@dataclass(frozen=True, kw_only=True)
class _Taking:
    """Takes judgements into states. `excused` are not to be blamed for theirs."""

    resting: Collection[str]
    excused: Collection[str]

    def take(self, subject: Subject, found: Sequence[Judgement], state: ServiceState) -> Checked:
        name, judgement = subject.service.name, found[-1]
        in_maintenance, during_outage = name in self.resting, name in self.excused
        change = None
        if not during_outage and not _is_overtaken(judgement, state):
            advanced = advance(
                state,
                judgement,
                thresholds=subject.service.thresholds,
                in_maintenance=in_maintenance,
            )
            state, judgement, change = advanced.state, advanced.judgement, advanced.change
        return Checked(
            subject=subject,
            judgement=judgement,
            attempts=found,
            state=state,
            change=change,
            in_maintenance=in_maintenance,
            during_outage=during_outage,
        )


def _is_overtaken(judgement: Judgement, state: ServiceState) -> bool:
    # A look that lies far ahead is none: some worker's clock was wrong.
    seen = state.checked_at
    return seen is not None and judgement.at < seen and not state.is_stale(judgement.at)


def _witness(subject: Subject, judgement: Judgement, states: Mapping[str, ServiceState]) -> Witness:
    service = subject.service
    return Witness(
        name=service.name,
        url=subject.url,
        signs_in=service.credential is not None,
        evidence=judgement.evidence,
        health=states[service.name].health,
    )


async def _end(tasks: Collection[asyncio.Task[Sequence[Judgement]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _has_result(task: asyncio.Task[Sequence[Judgement]]) -> bool:
    return not task.cancelled() and task.exception() is None


def _unchecked(subject: Subject, task: asyncio.Task[Sequence[Judgement]]) -> Unchecked:
    name = subject.service.name
    if task.cancelled():
        return Unchecked(name=name, reason="the time of the round was over before it was judged")
    error = task.exception()
    logger.error("checking %s broke this app's own code", name, exc_info=error)
    return Unchecked(name=name, reason=f"an error of this app's own: {type(error).__name__}")
