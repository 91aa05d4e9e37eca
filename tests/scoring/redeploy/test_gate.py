"""Who is let in, and on what grounds somebody is not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.scoring.redeploy.gate import (
    Allowance,
    Circumstances,
    Estate,
    grounds_at_the_door,
    grounds_of_platform,
)
from shared.scoring.redeploy.model_files import ModelLook
from shared.scoring.redeploy.mover import Change, ChangeKind, Snapshot
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, State, Trigger
from tests.support.redeploys import A_SNAPSHOT, NOON, a_proof, a_redeploy, after
from tests.support.scoring_builders import a_subject

ALLOWANCE = Allowance(cooldown=timedelta(minutes=10), budget=3, breaker_share=0.5)
IMAGE = Change(kind=ChangeKind.IMAGE, target="weight:2")
MODEL = Change(kind=ChangeKind.MODEL, target="weight:2")


def refusals(redeploy: Redeploy | None = None, **changes: Any) -> tuple[Refusal, ...]:
    seen = Circumstances(**{"now": NOON, "has_mover": True, **changes})
    return grounds_at_the_door(redeploy or a_redeploy(), seen, allowance=ALLOWANCE)


def done(minutes: float, **changes: Any) -> Redeploy:
    """A redeploy that ended so many minutes ago."""
    fields = {"state": State.SUCCEEDED, "ended_at": after(-minutes), **changes}
    return a_redeploy(at=after(-minutes - 1), **fields)


def grounds(found: tuple[Refusal, ...]) -> list[Ground]:
    return [each.ground for each in found]


def test_nothing_speaks_against_the_first_one_of_a_day() -> None:
    assert refusals(recent=[done(60 * 25)]) == ()


def test_a_kind_without_a_mover_is_refused() -> None:
    (found,) = refusals(a_redeploy(kind="http"), has_mover=False)

    assert found.ground is Ground.UNSUPPORTED_KIND
    assert "http" in found.text


def test_in_maintenance_nobody_is_disturbed() -> None:
    (found,) = refusals(maintenance_until=after(5))

    assert (found.ground, found.retry_after_seconds) == (Ground.IN_MAINTENANCE, 300)
    assert found.text.endswith("T12:05:00Z")
    assert refusals(maintenance_until=NOON) == ()


def test_cooldown_says_when_it_ends() -> None:
    (found,) = refusals(recent=[done(4)])

    assert (found.ground, found.retry_after_seconds) == (Ground.COOLDOWN, 360)
    assert refusals(recent=[done(10)]) == ()


def test_the_budget_says_when_it_is_free_again() -> None:
    (found,) = refusals(recent=[done(600), done(60), done(30)])

    assert found.ground is Ground.BUDGET_SPENT
    assert found.retry_after_seconds == (24 * 60 - 601) * 60


def test_what_did_not_touch_the_service_costs_nothing() -> None:
    untouched = [
        done(1, state=State.REFUSED),
        done(1, dry_run=True),
        done(1, state=State.ABORTED),
    ]
    put_back = done(1, state=State.ABORTED, proofs=(a_proof(of="old"),))

    assert refusals(recent=untouched * 4) == ()
    assert grounds(refusals(recent=[put_back])) == [Ground.COOLDOWN]


def test_one_that_asks_is_not_in_its_own_way() -> None:
    own = a_redeploy()

    assert refusals(own, recent=[own]) == ()


def test_pauses_double_between_those_that_begin_by_themselves() -> None:
    allowance = replace(ALLOWANCE, budget=9)
    healing = a_redeploy(trigger=Trigger.HEALING)
    waits = []
    for count in range(1, 5):
        recent = [done(0, trigger=Trigger.HEALING) for _ in range(count)]
        seen = Circumstances(now=NOON, has_mover=True, recent=recent)
        (found,) = grounds_at_the_door(healing, seen, allowance=allowance)
        waits.append(found.retry_after_seconds)

    assert waits == [600, 1200, 2400, 4800]


@pytest.mark.parametrize(
    ("services", "unhealthy", "opens"),
    [(10, 5, False), (10, 6, True), (1, 1, False), (2, 2, True), (3, 1, False), (0, 0, False)],
)
def test_a_sick_estate_is_left_alone(services: int, unhealthy: int, *, opens: bool) -> None:
    found = refusals(estate=Estate(services=services, unhealthy=unhealthy))

    assert grounds(found) == ([Ground.BREAKER_OPEN] if opens else [])


def test_all_grounds_are_told_together() -> None:
    found = refusals(
        has_mover=False,
        maintenance_until=after(1),
        recent=[done(1), done(2), done(3)],
        estate=Estate(services=2, unhealthy=2),
    )

    assert grounds(found) == [
        Ground.UNSUPPORTED_KIND,
        Ground.IN_MAINTENANCE,
        Ground.BUDGET_SPENT,
        Ground.COOLDOWN,
        Ground.BREAKER_OPEN,
    ]


@pytest.mark.parametrize(
    ("change", "image", "refused"),
    [
        (None, "weight:1", True),
        (IMAGE, "weight:1", True),
        (MODEL, "weight:1", False),
        (None, "", False),
        (None, f"weight@sha256:{'a' * 64}", False),
    ],
)
def test_what_may_pull_a_moved_tag_needs_a_known_digest(
    change: Change | None, image: str, *, refused: bool
) -> None:
    redeploy = a_redeploy(change=change) if change else a_redeploy()
    found = grounds_of_platform(redeploy, Snapshot(image=image, digest=None), model=ModelLook())

    assert grounds(found) == ([Ground.DIGEST_UNKNOWN] if refused else [])
    assert grounds_of_platform(redeploy, A_SNAPSHOT, model=ModelLook()) == ()


def test_a_timeout_that_no_step_of_a_proof_has_is_refused_by_its_name() -> None:
    def asking(seconds: float) -> tuple[Refusal, ...]:
        service = a_subject(kind="aks", checks={"timeout_seconds": seconds}).service
        redeploy = a_redeploy(service=service)
        return grounds_of_platform(redeploy, A_SNAPSHOT, model=ModelLook())

    (found,) = asking(40.5)

    assert found.ground is Ground.PROOF_NOT_POSSIBLE
    assert "checks.timeout_seconds is 40.5" in found.text
    assert asking(40) == ()


def test_what_the_platform_could_not_undo_is_refused_in_its_own_words() -> None:
    snapshot = replace(A_SNAPSHOT, refuses={ChangeKind.IMAGE: "registry.password is not known"})

    (found,) = grounds_of_platform(a_redeploy(change=IMAGE), snapshot, model=ModelLook())

    assert found == Refusal(
        ground=Ground.CHANGE_NOT_POSSIBLE, text="registry.password is not known"
    )
    assert grounds_of_platform(a_redeploy(), snapshot, model=ModelLook()) == ()
