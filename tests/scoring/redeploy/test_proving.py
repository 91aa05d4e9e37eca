"""Proofs that take longer than a step: they go on where they were, and count whole rounds alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.clients.prober import NetworkProber
from shared.scoring.attempts import Examiner
from shared.scoring.probe import Contact
from shared.scoring.redeploy.flow import Limits, advance
from shared.scoring.redeploy.proving import ASKING_SECONDS, Proving
from shared.scoring.redeploy.record import Ground, Redeploy, State, Task
from shared.telemetry import Event
from tests.support.fake_credentials import FakeCredentials
from tests.support.fake_mover import FakeMover
from tests.support.flow_walks import UP_TO_PROOF, walk
from tests.support.probing import PATIENCE_SECONDS, now
from tests.support.redeploy_stage import Life
from tests.support.redeploys import A_SNAPSHOT, CLUSTER, a_redeploy
from tests.support.redeploys_to_the_end import (
    CHANGED,
    NEW_IMAGE,
    PUT_BACK,
    assert_all_is_tidy,
)
from tests.support.scoring_builders import RIGHT, WRONG, a_subject
from tests.support.scripted import Asked, Scripted
from tests.support.slow_proofs import ORIGIN, Slowly, goldens, parts, proofs, step_by_step, targets
from tests.support.tcp_services import scripted
from tests.support.virtual_time import run_virtually, seconds


def test_a_good_one_with_twenty_slow_golden_requests_is_proven_by_three_full_rounds() -> None:
    slowly = Slowly()

    end = slowly.end()

    assert end.state is State.SUCCEEDED
    assert proofs(end) == [True, True, True]
    assert slowly.targets == targets(20) * 3
    assert len(parts(end)) == 4 * 3
    assert (end.checked, slowly.stage.mover.effects) == ((), CHANGED)
    assert_all_is_tidy(slowly.stage)


def test_no_step_asks_longer_than_it_may() -> None:
    slowly = Slowly(seconds=12, timeout_seconds=13)
    took: list[float] = []

    async def story() -> None:
        began = seconds()
        async for _ in step_by_step(slowly.stage):
            took.append(seconds() - began)
            began = seconds()

    run_virtually(story())

    assert 12 < max(took) <= ASKING_SECONDS
    assert sum(took) == 12 * 20 * 3


def test_few_fast_golden_requests_take_one_step_each_round() -> None:
    slowly = Slowly(count=3, seconds=0.1)

    end = slowly.end()

    assert slowly.targets == targets(3) * 3
    assert parts(end) == []


def test_the_deadline_does_not_cut_off_who_answers_right_so_far() -> None:
    slowly = Slowly(seconds=39, timeout_seconds=40)

    end = slowly.end()

    assert end.state is State.SUCCEEDED
    assert end.proofs[0].at - end.steps[3].at > Limits().time[Task.PROVE]
    assert slowly.targets == targets(20) * 3


def test_after_the_deadline_the_first_wrong_answer_undoes_it() -> None:
    slowly = Slowly(seconds=39, timeout_seconds=40, odd={21: Scripted(body=WRONG)})

    end = slowly.end()

    assert end.state is State.UNDONE
    assert "not proven in time" in end.said
    assert [each.verdict for each in end.proofs if each.of == "new"] == ["wrong"]


def test_a_wrong_answer_in_mid_round_starts_the_count_over() -> None:
    # The sixth golden request of the second round, in its second step.
    slowly = Slowly(count=8, odd={9 + 7: Scripted(body=WRONG)})

    end = slowly.end()

    assert end.state is State.SUCCEEDED
    assert proofs(end) == [True, False, True, True, True]
    assert slowly.targets == targets(8) * 5


def test_a_round_that_cannot_pass_any_more_ends_with_its_step() -> None:
    slowly = Slowly(count=8, odd={2: Scripted(body=WRONG)})

    end = slowly.end()

    first = targets(8)[:5]
    assert slowly.targets == first + targets(8) * 3
    assert proofs(end) == [False, True, True, True]


def test_what_answers_wrongly_is_undone_and_the_old_one_proven_in_parts_too() -> None:
    slowly = Slowly(mover=FakeMover(wrong=True))

    end = slowly.end()

    assert end.state is State.UNDONE
    assert [each.of for each in end.proofs] == ["new"] * 3 + ["old"] * 3
    assert len(parts(end, Task.PROVE_OLD)) == 4 * 3
    assert slowly.stage.mover.effects == PUT_BACK


def test_each_share_of_traffic_is_proven_by_a_full_round() -> None:
    slowly = Slowly(count=8, mover=FakeMover(shifts=2))

    end = slowly.end()

    assert end.state is State.SUCCEEDED
    assert slowly.stage.mover.proven_under == [0] * 8 * 3 + [50] * 8 + [100] * 8


def test_killed_at_any_await_it_ends_as_it_would_and_every_effect_is_made_once() -> None:
    whole = Life()
    run_virtually(_killed(Slowly(count=5), whole))

    for left in range(1, whole.used + 1):
        slowly = Slowly(count=5)
        end = run_virtually(_killed(slowly, Life(left=left)))
        _assert_ended_well(slowly, end, killed=f"at await {left}")


@pytest.mark.parametrize("killed_at", range(1, 19))
def test_killed_at_any_question_the_round_goes_on_from_what_was_recorded(killed_at: int) -> None:
    slowly = Slowly(count=5, killed_at=killed_at)

    end = slowly.end()

    _assert_ended_well(slowly, end, killed=f"at question {killed_at}")
    # Asked twice is only what the killed step had asked: at most live and four golden requests.
    assert len(slowly.targets) <= 3 * 6 + 5


async def _killed(slowly: Slowly, life: Life) -> Redeploy:
    redeploy_id = await slowly.stage.opened(order=NEW_IMAGE)
    await slowly.stage.run(life=life)
    return await slowly.stage.redeploy(redeploy_id)


def _assert_ended_well(slowly: Slowly, end: Redeploy, *, killed: str) -> None:
    assert (end.state, slowly.stage.mover.effects) == (State.SUCCEEDED, CHANGED), killed
    assert proofs(end) == [True] * 3, killed
    assert all(slowly.targets.count(each) >= 3 for each in targets(5)), killed
    assert_all_is_tidy(slowly.stage)


def test_every_message_may_come_twice() -> None:
    slowly = Slowly()

    async def story() -> None:
        async for _ in step_by_step(slowly.stage, times=2):
            pass

    run_virtually(story())

    (told,) = slowly.stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
    assert told["state"] == "succeeded"
    assert slowly.targets == targets(20) * 3


def test_a_vault_that_is_away_in_mid_round_costs_nothing_of_it() -> None:
    slowly = Slowly()
    credentials = slowly.stage.credentials
    credentials.unavailable.add("weight")

    async def story() -> None:
        async for _ in step_by_step(slowly.stage):
            is_away = 30 < len(slowly.asked) < 40 and not credentials.problems
            credentials.problems = {"weight": "no answer"} if is_away else {}

    run_virtually(story())

    (told,) = slowly.stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
    away = [
        each
        for each in slowly.stage.telemetry.named(Event.SCORING_REDEPLOY_STEP)
        if "no answer" in str(each["text"])
    ]
    assert told["state"] == "succeeded"
    assert away
    assert slowly.targets == targets(20) * 3


def test_a_silent_cheap_route_is_overruled_by_right_answers_of_later_steps() -> None:
    ready = {"ready": {"path": "/ready"}}
    words = "Replica closed connection before replying — \xe9".encode()
    says_so = Scripted(status=502, body=words, headers={"Set-Cookie": "canary"})
    slowly = Slowly(count=8, checks=ready, odd={n * 10 + 2: says_so for n in range(3)})

    end = slowly.end()

    assert end.state is State.SUCCEEDED
    assert {each.evidence for each in end.proofs} == {"golden_right"}
    assert len(parts(end)) == 3


def test_the_record_keeps_no_header_of_an_answer() -> None:
    kept: list[str] = []
    slowly = Slowly(odd={1: Scripted(body=b"{}", headers={"Set-Cookie": "canary"})})

    async def story() -> None:
        async for _ in step_by_step(slowly.stage):
            kept.extend(slowly.stage.store.records.values())

    run_virtually(story())

    assert any('"checked"' in each for each in kept)
    assert not any("canary" in each for each in kept)


def test_a_step_in_which_nothing_ended_says_so_and_is_tried_again() -> None:
    slowly = Slowly(count=2, seconds=39, timeout_seconds=40)
    stage = slowly.stage
    examiner = Examiner(prober=stage.prober, credentials=FakeCredentials(), now=stage.now)
    redeploy = replace(
        walk(*UP_TO_PROOF), service=stage.subjects["weight"].service, url=ORIGIN, tries=1
    )
    proving = Proving(examiner=examiner, seconds=5)

    async def story() -> Redeploy:
        begun = redeploy
        for _ in range(2):
            seen = await proving.go_on(begun, FakeMover(), A_SNAPSHOT)
            begun = advance(begun, seen, now=begun.due_at, limits=Limits())
        return begun

    after = run_virtually(story())

    assert [each.name for each in after.checked] == ["/live"]
    assert after.task is Task.PROVE
    assert "none of its checks ended within 5 s" in after.steps[-1].text


@pytest.mark.parametrize("timeout", [41, 120])
def test_a_proof_whose_requests_may_take_longer_than_a_step_is_refused_by_the_fields_name(
    timeout: float,
) -> None:
    slowly = Slowly(timeout_seconds=timeout)

    end = slowly.end()

    (refusal,) = end.refusals
    assert (end.state, refusal.ground) == (State.REFUSED, Ground.PROOF_NOT_POSSIBLE)
    assert f"checks.timeout_seconds is {timeout:g}" in refusal.text
    assert (slowly.asked, slowly.stage.mover.effects) == ([], [])


def test_a_hanging_one_is_asked_no_further_and_never_proven() -> None:
    hang = Scripted(contact=Contact.TIMED_OUT)
    slowly = Slowly(timeout_seconds=40, odd=dict.fromkeys(range(1, 500), hang))

    end = slowly.end()

    assert end.state is State.UNDO_FAILED
    assert {each.verdict for each in end.proofs} == {"busy"}
    assert set(slowly.targets) == set(targets(1))


async def test_a_real_slow_server_is_proven_over_several_steps() -> None:
    asked: list[Asked] = []

    def slow(request: Asked) -> Scripted:
        golden = request.target.startswith("/weight")
        return Scripted(body=RIGHT if golden else b"{}", seconds=0.2 if golden else 0)

    async with scripted(slow, asked) as url, NetworkProber(now=now) as prober:
        checks = {"golden": goldens(6), "timeout_seconds": PATIENCE_SECONDS}
        service = a_subject("weight", url=url, kind="aks", resource_id=CLUSTER, checks=checks)
        examiner = Examiner(prober=prober, credentials=FakeCredentials(), now=now)
        proven = await _prove(
            walk(*UP_TO_PROOF, start=a_redeploy(), at=now()),
            # After the first 0.3 s of a step no question is begun that might outlast it.
            Proving(examiner=examiner, seconds=PATIENCE_SECONDS + 0.3),
            service=service.service,
            url=url,
        )

    assert proven.task is Task.COMPLETE
    assert proofs(proven) == [True, True, True]
    assert [each.target for each in asked] == targets(6) * 3
    assert len(parts(proven)) >= 3


async def _prove(redeploy: Redeploy, proving: Proving, **of: Any) -> Redeploy:
    """Take steps until it is proven, or not; each worker knows nothing but the record."""
    redeploy = replace(redeploy, **of)
    while redeploy.task is Task.PROVE:
        stored = Redeploy.from_json(json.loads(json.dumps(redeploy.to_json())))
        seen = await proving.go_on(stored, FakeMover(), A_SNAPSHOT)
        redeploy = advance(replace(stored, tries=1), seen, now=now(), limits=Limits())
    return redeploy
