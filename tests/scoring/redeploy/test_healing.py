"""When the app redeploys by itself, what, and when it stops."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.scoring.evidence import VERDICTS, Evidence
from shared.scoring.maintenance import Maintenance
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.healing import Cause, cause_to_redeploy
from shared.scoring.redeploy.mover import Change, ChangeKind, Snapshot
from shared.scoring.redeploy.opening import refused_at_once
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, State, Trigger
from shared.scoring.redeploy.self_healing import SelfHealing
from shared.scoring.service import SelfHeal, Service
from shared.scoring.state import Health, Mark, Round, ServiceState
from shared.telemetry import Event
from tests.support.redeploy_stage import RedeployStage
from tests.support.redeploys import CLUSTER, NOON, OLD_DIGEST, a_redeploy, after
from tests.support.scoring_builders import a_subject

TICK = timedelta(minutes=5)


def a_state(evidence: Evidence = Evidence.REFUSED, **changes: Any) -> ServiceState:
    """Unhealthy since five minutes, right before."""
    fields: dict[str, Any] = {
        "health": Health.UNHEALTHY,
        "since": after(-5),
        "verdict": VERDICTS[evidence],
        "evidence": evidence,
        "text": "it is so",
        "checked_at": NOON,
        "rounds": (Round(mark=Mark.GOOD), Round(mark=Mark.FAILED, changed=True)),
        **changes,
    }
    return ServiceState(**fields)


def a_service(heals: str = "restart", **changes: Any) -> Service:
    fields = {"kind": "aks", "resource_id": CLUSTER, "self_heal": heals, **changes}
    return a_subject("weight", **fields).service


def cause(state: ServiceState, *recent: Redeploy, service: Service | None = None) -> Cause | None:
    return cause_to_redeploy(service or a_service(), state, recent, now=NOON)


def healed(evidence: Evidence, **changes: Any) -> bool:
    return cause(a_state(evidence, **changes)) is not None


MENDABLE = {
    Evidence.REFUSED,
    Evidence.CONNECT_TIMED_OUT,
    Evidence.CUT,
    Evidence.ERROR_EVERYWHERE,
    Evidence.NO_REPLICAS,
    Evidence.NOT_RUNNING,
    Evidence.HUNG,
    Evidence.GOLDEN_DIFFERS,
    Evidence.ERROR_IN_ANSWER,
    Evidence.ERROR_STATUS,
}


@pytest.mark.parametrize("evidence", Evidence)
def test_only_what_a_restart_can_mend_is_restarted(evidence: Evidence) -> None:
    assert healed(evidence) is (evidence in MENDABLE)


@pytest.mark.parametrize(
    "changes",
    [
        {"health": Health.HEALTHY},
        {"health": Health.UNKNOWN},
        {"flapping": True},
        {"checked_at": None},
        {"checked_at": after(-30)},
    ],
    ids=str,
)
def test_one_is_left_alone_that_is_not_surely_unhealthy_now(changes: dict[str, Any]) -> None:
    assert not healed(Evidence.REFUSED, **changes)


def test_what_was_seen_before_the_last_redeploy_ended_says_nothing_about_now() -> None:
    last = a_redeploy(at=after(-15), state=State.SUCCEEDED, ended_at=after(-10))
    refused = replace(last, state=State.REFUSED)

    assert cause(a_state(checked_at=after(-12)), last) is None
    assert cause(a_state(checked_at=after(-9)), last) is not None
    assert cause(a_state(checked_at=after(-12)), refused) is not None


def test_what_never_answered_right_is_not_made_right_by_a_restart() -> None:
    never_right = (Round(mark=Mark.FAILED),)

    assert not healed(Evidence.GOLDEN_DIFFERS, rounds=never_right)
    assert healed(Evidence.REFUSED, rounds=never_right)


def test_nobody_is_healed_who_does_not_ask_for_it() -> None:
    assert cause(a_state(), service=a_service("off")) is None
    assert a_subject("weight").service.self_heal is SelfHeal.OFF


def test_a_restart_says_why() -> None:
    found = cause(a_state())

    assert found == Cause(
        trigger=Trigger.HEALING,
        change=Change(kind=ChangeKind.RESTART),
        reason="down: it is so",
    )


IMAGE_BEFORE = a_redeploy(
    at=after(-60),
    change=Change(kind=ChangeKind.IMAGE, target="registry.test/weight:2"),
    snapshot=Snapshot(image="registry.test/weight:1", digest=OLD_DIGEST),
    state=State.SUCCEEDED,
)
RESTARTED = a_redeploy(at=after(-4), trigger=Trigger.HEALING, state=State.SUCCEEDED)


@pytest.mark.parametrize(
    ("heals", "recent", "kind"),
    [
        ("restart", (IMAGE_BEFORE, RESTARTED), ChangeKind.RESTART),
        ("redeploy", (IMAGE_BEFORE,), ChangeKind.RESTART),
        ("redeploy", (RESTARTED,), ChangeKind.RESTART),
        ("redeploy", (IMAGE_BEFORE, RESTARTED), ChangeKind.IMAGE),
    ],
)
def test_the_image_of_before_comes_back_only_where_a_restart_did_not_help(
    heals: str, recent: Sequence[Redeploy], kind: ChangeKind
) -> None:
    found = cause(a_state(), *recent, service=a_service(heals))

    assert found is not None
    assert found.change.kind is kind
    assert found.change.target in {"", f"registry.test/weight:1@{OLD_DIGEST}"}


def test_a_timed_restart_begins_once_in_its_hour() -> None:
    service = a_service("off", restart_schedule="11:30")
    state = a_state(health=Health.HEALTHY)

    found = cause(state, service=service)

    assert found is not None
    assert (found.trigger, found.change.kind) == (Trigger.SCHEDULE, ChangeKind.RESTART)
    assert cause(state, a_redeploy(at=after(-29)), service=service) is None
    dry, refused = a_redeploy(at=after(-29), dry_run=True), {"state": State.REFUSED}
    by_hand, its_own = (
        a_redeploy(at=after(-29), trigger=each, **refused)
        for each in (Trigger.HTTP, Trigger.SCHEDULE)
    )
    assert cause(state, dry, by_hand, service=service) is not None
    assert cause(state, its_own, service=service) is None
    assert cause(state, service=a_service("off", restart_schedule="10:30")) is None


def stage(heals: str = "restart", **changes: Any) -> RedeployStage:
    """A stage whose first service asks to be healed, and is down."""
    made = RedeployStage(allowance=Allowance(cooldown=timedelta(minutes=10), budget=3), **changes)
    made.subjects["weight"] = a_subject("weight", kind="aks", resource_id=CLUSTER, self_heal=heals)
    made.states.states["weight"] = a_state()
    for name in ("second", "third"):
        made.states.states[name] = ServiceState(health=Health.HEALTHY, checked_at=NOON)
    return made


async def tick(stage: RedeployStage) -> Sequence[Redeploy]:
    """Five minutes pass, in which rounds see what they saw before."""
    for name, state in stage.states.states.items():
        stage.states.states[name] = replace(state, checked_at=stage.clock)
    healing = SelfHealing(opening=stage.opening(), telemetry=stage.telemetry, now=stage.now)
    begun = await healing.care(list(stage.subjects.values()))
    end = stage.clock + TICK
    await stage.run(until=TICK)
    stage.clock = end
    return begun


async def test_one_that_is_down_is_restarted_and_proven() -> None:
    made = stage()

    (begun,) = await tick(made)

    end = await made.redeploy(begun.redeploy_id)
    assert (end.state, end.trigger) == (State.SUCCEEDED, Trigger.HEALING)
    assert made.mover.effects == [("weight", "change")]


async def test_a_dead_estate_is_left_alone_without_a_word() -> None:
    made = stage()
    for name in made.subjects:
        made.states.states[name] = a_state()

    assert await tick(made) == []
    assert made.mover.effects == []
    assert made.store.records == {}


async def test_one_is_healed_beside_many_that_were_ill_for_months() -> None:
    made = stage()
    for number in range(9):
        made.states.states[f"relic-{number}"] = a_state(
            Evidence.AZURE_UNHEALTHY, since=NOON - timedelta(days=90)
        )

    (begun,) = await tick(made)

    assert (await made.redeploy(begun.redeploy_id)).state is State.SUCCEEDED


async def test_one_in_maintenance_is_left_alone() -> None:
    made = stage()
    made.windows.windows["weight"] = Maintenance(
        service="weight", until=after(60), reason="", opened_by="ada", opened_at=NOON
    )

    assert await tick(made) == []


async def test_one_that_dies_every_time_gets_its_budget_then_a_person_is_told_once() -> None:
    made = stage()
    restarts = []
    for _ in range(24 * 12 - 2):
        at = made.clock
        restarts += [at] * len(await tick(made))

    pauses = [later - earlier for earlier, later in pairwise(restarts)]
    (told,) = made.telemetry.named(Event.SCORING_HEALING_GAVE_UP)
    recent = await made.store.list_recent("weight", since=NOON)
    assert len(restarts) == 3
    assert pauses[0] < pauses[1]
    assert (told["service"], told["verdict"]) == ("weight", "down")
    assert [each.ground for each in recent[-1].refusals] == [Ground.BUDGET_SPENT]
    assert made.mover.effects == [("weight", "change")] * 3


async def test_a_person_is_told_once_though_somebody_asks_in_vain_meanwhile() -> None:
    made = stage()
    for _ in range(60):
        await tick(made)
        asked = refused_at_once(
            a_redeploy(at=made.clock),
            Refusal(ground=Ground.BREAKER_OPEN, text="all are down"),
            now=made.clock,
        )
        await made.store.open(asked)

    assert len(made.telemetry.named(Event.SCORING_HEALING_GAVE_UP)) == 1
