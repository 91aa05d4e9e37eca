"""Real R processes, each way they fail, and the verdict that each gets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from r_services.programs import RServiceError
from shared.scoring.evidence import Evidence
from shared.scoring.examination import Subject
from shared.scoring.judgement import FAILURES, Judgement, Verdict
from shared.scoring.probe import ProbeRequest
from shared.scoring.service import Credential
from shared.scoring.state import Health
from tests.support.r_services import OTHER_WEIGHT_OF_138, RServiceProcess
from tests.support.real_services import SVM, WEIGHT, Doctor, declared, doctor, guarded

# How long a probe waits where it is to be in vain; what answers does so in milliseconds.
SHORT_SECONDS = 1.0
KEYED = Credential(secret="weight-key", allow_plain_http=True)
CHECKS, EVERY_SO_MANY, BLOCKS = 200, 40, 5


async def verdict_on(subject: Subject) -> tuple[Verdict, str]:
    judgement = await judged(subject)
    return judgement.verdict, judgement.evidence


async def judged(subject: Subject) -> Judgement:
    async with doctor() as found:
        return await found.judge(subject)


def impatient(service: RServiceProcess) -> Subject:
    return declared(WEIGHT, service.url, timeout_seconds=SHORT_SECONDS)


async def test_a_healthy_plumber_service_is_healthy(weight_service: RServiceProcess) -> None:
    judgement = await judged(declared(WEIGHT, weight_service.url))

    assert (judgement.verdict, judgement.evidence) == (Verdict.HEALTHY, Evidence.GOLDEN_RIGHT)
    assert [check.mismatches for check in judgement.checks] == [(), (), ()]


async def test_a_healthy_rpy2_service_is_healthy(svm_service: RServiceProcess) -> None:
    found = await verdict_on(declared(SVM, svm_service.url))

    assert found == (Verdict.HEALTHY, Evidence.GOLDEN_RIGHT)


async def test_a_killed_service_is_down(weight_service: RServiceProcess) -> None:
    weight_service.kill()

    found = await verdict_on(declared(WEIGHT, weight_service.url))

    assert found == (Verdict.DOWN, Evidence.REFUSED)


async def test_a_service_that_is_killed_while_it_is_asked_is_down(
    slow_weight_service: RServiceProcess,
) -> None:
    service = slow_weight_service

    with service.busy():
        asking = asyncio.create_task(verdict_on(declared(WEIGHT, service.url)))
        await asyncio.sleep(0.2)
        service.kill()
        found = await asking

    assert found[0] is Verdict.DOWN
    assert found[1] in {Evidence.CUT, Evidence.REFUSED}


async def test_a_suspended_service_is_busy_then_down_as_hung_and_healthy_when_it_goes_on(
    weight_service: RServiceProcess,
) -> None:
    subject = impatient(weight_service)
    async with doctor() as found:
        await found.round(subject)
        weight_service.suspend()
        silent = await found.rounds(subject, 5)
        weight_service.resume()
        again = await found.rounds(subject, 2)

    # The fourth silent round comes as the limit of 15 minutes is reached: either word is right.
    *early, _, last = [(each.judgement.verdict, each.judgement.evidence) for each in silent]
    assert early == [(Verdict.BUSY, Evidence.TIMED_OUT)] * 3
    assert last == (Verdict.DOWN, Evidence.HUNG)
    assert silent[2].state.health is Health.HEALTHY
    assert silent[4].state.health is Health.UNHEALTHY
    assert [each.judgement.verdict for each in again] == [Verdict.HEALTHY] * 2
    assert again[-1].state.health is Health.HEALTHY


async def test_a_slow_request_in_flight_makes_a_service_busy_and_no_more(
    slow_weight_service: RServiceProcess,
) -> None:
    subject = impatient(slow_weight_service)

    with slow_weight_service.busy():
        during = await verdict_on(subject)
    after = await verdict_on(declared(WEIGHT, slow_weight_service.url))

    assert during == (Verdict.BUSY, Evidence.TIMED_OUT)
    assert after == (Verdict.HEALTHY, Evidence.GOLDEN_RIGHT)


async def test_another_model_is_wrong_and_its_answer_is_told(
    weight_service: RServiceProcess, other_weight_model: Path
) -> None:
    weight_service.swap_model(other_weight_model)

    judgement = await judged(declared(WEIGHT, weight_service.url))

    assert (judgement.verdict, judgement.evidence) == (Verdict.WRONG, Evidence.GOLDEN_DIFFERS)
    assert str(OTHER_WEIGHT_OF_138) in judgement.text


async def test_a_model_that_is_missing_at_start_leaves_the_service_down(
    weight_service: RServiceProcess,
) -> None:
    weight_service.stop()
    weight_service.remove_model()
    with pytest.raises(RServiceError):
        weight_service.start()

    found = await verdict_on(declared(WEIGHT, weight_service.url))

    assert found == (Verdict.DOWN, Evidence.REFUSED)


async def test_a_wrong_key_is_unauthorised(weight_service: RServiceProcess) -> None:
    async with guarded(weight_service, "right") as url, doctor() as found:
        found.credentials.keys = {WEIGHT: ["wrong"]}
        judgement = await found.judge(declared(WEIGHT, url, credential=KEYED))

    assert (judgement.verdict, judgement.evidence) == (Verdict.UNAUTHORISED, Evidence.KEY_REFUSED)
    assert "wrong" not in repr(judgement)


async def test_a_key_that_was_rotated_is_renewed(weight_service: RServiceProcess) -> None:
    async with guarded(weight_service, "right") as url, doctor() as found:
        found.credentials.keys = {WEIGHT: ["old", "right"]}
        judgement = await found.judge(declared(WEIGHT, url, credential=KEYED))

    assert judgement.verdict is Verdict.HEALTHY


async def test_an_rpy2_service_whose_run_raises_is_wrong_although_its_root_says_healthy(
    failing_svm_service: RServiceProcess,
) -> None:
    judgement = await judged(declared(SVM, failing_svm_service.url))

    live, golden = judgement.checks
    assert live.mismatches == ()
    assert golden.probe is not None
    assert golden.probe.status == 500
    assert (judgement.verdict, judgement.evidence) == (Verdict.WRONG, Evidence.ERROR_STATUS)


async def test_200_checks_of_a_healthy_but_busy_service_raise_no_false_alarm(
    slow_weight_service: RServiceProcess,
) -> None:
    subject = impatient(slow_weight_service)
    verdicts: Counter[Verdict] = Counter()
    unhealthy = 0

    async with doctor() as found, kept_busy(found, slow_weight_service):
        for number in range(CHECKS):
            if number % EVERY_SO_MANY == EVERY_SO_MANY // 2:
                with slow_weight_service.busy():
                    taken = await found.round(subject)
            else:
                taken = await found.round(subject)
            verdicts[taken.judgement.verdict] += 1
            unhealthy += taken.state.health is Health.UNHEALTHY

    assert verdicts.total() == CHECKS
    assert verdicts.keys() & FAILURES == set()
    assert verdicts[Verdict.BUSY] >= BLOCKS
    assert verdicts[Verdict.HEALTHY] > 0
    assert unhealthy == 0


@asynccontextmanager
async def kept_busy(found: Doctor, service: RServiceProcess) -> AsyncIterator[None]:
    """Let two clients ask for work of some hundredths of a second, one request after the other."""

    async def ask() -> None:
        request = ProbeRequest(
            method="GET",
            url=f"{service.url}/slow?until=/nowhere&seconds=0.02",
            timeout_seconds=30,
            max_bytes=1_000,
        )
        while True:
            await found.prober.probe(request)

    clients = [asyncio.create_task(ask()) for _ in range(2)]
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
