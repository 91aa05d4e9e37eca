"""One stop request per instance and life, whatever runs side by side."""

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.clients.stop_claims import StopClaimsClient
from shared.compute.history import Claim, StopClaims
from tests.support.builders import LONG_AGO, NIGHT, SUBSCRIPTION, a_workspace
from tests.support.fake_storage import FakeStopClaims

ADA = f"{a_workspace().id}/computes/ci-ada"
MINUTE = timedelta(minutes=1)


async def test_one_of_many_runs_gets_the_claim_and_the_others_learn_whose_it_is(
    claims: StopClaims,
) -> None:
    asked = await asyncio.gather(
        *(claims.claim(ADA, LONG_AGO, run_id=f"run-{n}", now=NIGHT) for n in range(20))
    )

    (granted,) = [claim for claim in asked if claim.granted]
    assert {claim.run_id for claim in asked} == {granted.run_id}
    assert {claim.version for claim in asked} == {granted.version}
    assert {claim.claimed_at for claim in asked} == {NIGHT}


@pytest.mark.parametrize("standing", [0, 1, 2, 7, 40], ids=lambda number: f"{number} stand")
async def test_of_many_claims_at_once_only_those_that_stand_are_not_granted(
    claims: StopClaims, standing: int
) -> None:
    for number in range(standing):
        await claims.claim(f"{ADA}-{number}", LONG_AGO, run_id="first", now=NIGHT, state="Unusable")

    asked = await asyncio.gather(
        *(claims.claim(f"{ADA}-{n}", LONG_AGO, run_id="second", now=NIGHT) for n in range(40))
    )

    assert [claim.run_id for claim in asked[:standing]] == ["first"] * standing
    assert [claim.granted for claim in asked] == [number >= standing for number in range(40)]
    released = [
        await claims.release(f"{ADA}-{number}", held=claim) for number, claim in enumerate(asked)
    ]
    assert all(released)


async def test_the_case_of_an_id_does_not_matter(claims: StopClaims) -> None:
    await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT)

    second = await claims.claim(ADA.upper(), LONG_AGO, run_id="second", now=NIGHT)

    assert not second.granted
    assert second.run_id == "first"


async def test_a_run_that_comes_back_finds_its_own_claim_taken(claims: StopClaims) -> None:
    await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT)

    again = await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT + MINUTE)

    assert not again.granted
    assert (again.run_id, again.claimed_at) == ("first", NIGHT)


async def test_a_share_that_is_taken_up_again_learns_what_its_run_claimed(
    claims: StopClaims,
) -> None:
    bob, eve = f"{ADA[:-3]}bob", ADA.replace(SUBSCRIPTION, "other")
    await claims.claim(ADA.upper(), LONG_AGO, run_id="run", now=NIGHT, state="Running")
    await claims.claim(bob, None, run_id="another", now=NIGHT, state="Running")
    await claims.claim(eve, None, run_id="run", now=NIGHT)

    claimed = await claims.list_claimed(SUBSCRIPTION.upper(), run_id="run")

    assert claimed == {
        ADA.lower(): Claim(
            run_id="run", claimed_at=NIGHT, granted=False, life=LONG_AGO, state="Running"
        )
    }


async def test_a_claim_that_is_taken_over_keeps_the_state_in_which_it_was_made(
    claims: StopClaims,
) -> None:
    held = await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT, state="Unusable")

    taken = await claims.take_over(ADA, LONG_AGO, held=held, run_id="second", now=NIGHT + MINUTE)

    assert (held.state, taken.state) == ("Unusable", "Unusable")


async def test_another_life_and_another_instance_are_other_claims(claims: StopClaims) -> None:
    asked = [
        await claims.claim(ADA, LONG_AGO, run_id="run", now=NIGHT),
        await claims.claim(ADA, LONG_AGO + MINUTE, run_id="run", now=NIGHT),
        await claims.claim(ADA, None, run_id="run", now=NIGHT),
        await claims.claim(f"{ADA}2", LONG_AGO, run_id="run", now=NIGHT),
        await claims.claim(ADA.replace(SUBSCRIPTION, "other"), LONG_AGO, run_id="run", now=NIGHT),
    ]

    assert all(claim.granted for claim in asked)


async def test_one_of_many_takes_over_a_claim_without_effect(claims: StopClaims) -> None:
    held = await claims.claim(ADA, LONG_AGO, run_id="dead", now=NIGHT)

    later = NIGHT + MINUTE
    asked = await asyncio.gather(
        *(
            claims.take_over(ADA, LONG_AGO, held=held, run_id=f"run-{n}", now=later)
            for n in range(10)
        )
    )

    (granted,) = [claim for claim in asked if claim.granted]
    assert {claim.run_id for claim in asked} == {granted.run_id}
    assert {claim.claimed_at for claim in asked} == {later}


async def test_a_claim_that_nobody_stored_takes_over_nothing(claims: StopClaims) -> None:
    await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT)
    imagined = Claim(run_id="first", claimed_at=NIGHT, granted=False)

    asked = await claims.take_over(ADA, LONG_AGO, held=imagined, run_id="second", now=NIGHT)

    assert not asked.granted
    assert asked.run_id == "first"


async def test_a_claim_that_is_gone_is_taken_over_as_a_new_one(
    claims: StopClaimsClient | FakeStopClaims,
) -> None:
    held = await claims.claim(ADA, LONG_AGO, run_id="dead", now=NIGHT)
    await claims.prune(claimed_before=NIGHT + MINUTE)

    renewed = await claims.take_over(ADA, LONG_AGO, held=held, run_id="run", now=NIGHT)

    assert renewed.granted


async def test_a_claim_that_was_given_back_is_anybodys(claims: StopClaims) -> None:
    held = await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT)

    assert await claims.release(ADA.upper(), held=held)

    assert (await claims.claim(ADA, LONG_AGO, run_id="second", now=NIGHT)).granted
    assert not await claims.release(ADA, held=held)


async def test_a_claim_that_somebody_took_over_is_not_given_back(claims: StopClaims) -> None:
    held = await claims.claim(ADA, LONG_AGO, run_id="dead", now=NIGHT)
    taken = await claims.take_over(ADA, LONG_AGO, held=held, run_id="second", now=NIGHT + MINUTE)

    assert not await claims.release(ADA, held=held)

    stands = await claims.claim(ADA, LONG_AGO, run_id="third", now=NIGHT + MINUTE)
    assert (stands.granted, stands.run_id) == (False, "second")
    assert await claims.release(ADA, held=taken)


@pytest.mark.parametrize("life", [LONG_AGO, None])
async def test_a_claim_says_in_which_life_and_forgetting_it_twice_is_the_same_as_once(
    claims: StopClaims, life: datetime | None
) -> None:
    held = await claims.claim(ADA, life, run_id="first", now=NIGHT)

    assert held.life == life
    assert [await claims.release(ADA, held=held) for _ in range(2)] == [True, True]


async def test_a_claim_that_nobody_stored_is_nothing_to_give_back(claims: StopClaims) -> None:
    await claims.claim(ADA, LONG_AGO, run_id="first", now=NIGHT)
    imagined = Claim(run_id="first", claimed_at=NIGHT, granted=True, life=LONG_AGO)

    assert not await claims.release(ADA, held=imagined)


async def test_old_claims_are_forgotten(claims: StopClaimsClient | FakeStopClaims) -> None:
    for number in range(120):
        await claims.claim(f"{ADA}-{number}", LONG_AGO, run_id="run", now=NIGHT)
    other = ADA.replace(SUBSCRIPTION, "other")
    await claims.claim(other, LONG_AGO, run_id="run", now=NIGHT)
    await claims.claim(ADA, LONG_AGO, run_id="run", now=NIGHT + MINUTE)

    assert await claims.prune(claimed_before=NIGHT + MINUTE) == 121
    assert await claims.prune(claimed_before=NIGHT + MINUTE) == 0

    assert not (await claims.claim(ADA, LONG_AGO, run_id="late", now=NIGHT)).granted
    assert (await claims.claim(other, LONG_AGO, run_id="late", now=NIGHT)).granted
