"""What callers are answered: begin, show, list, abort."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import InvalidRequestError
from shared.replies import Reply
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.requests import RedeployRequests
from shared.scoring.state import Health, ServiceState
from tests.support.fake_mover import FakeMover
from tests.support.redeploy_stage import RedeployStage

SIGNED_IN = {"X-MS-CLIENT-PRINCIPAL-NAME": "ada@contoso.example"}


def requests(stage: RedeployStage, *, trusts: bool = True) -> RedeployRequests:
    return RedeployRequests(
        opening=stage.opening(), find=stage.find, now=stage.now, trusts_sign_in=trusts
    )


async def post(
    stage: RedeployStage, name: str = "weight", *, trusts: bool = True, **body: Any
) -> Reply:
    given = {"restart": True, "reason": "it hangs", **body}
    text = json.dumps({key: value for key, value in given.items() if value is not None})
    return await requests(stage, trusts=trusts).post(name, SIGNED_IN, text.encode())


def document(reply: Reply) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(reply.body)
    return read


async def show(stage: RedeployStage, location: str) -> Mapping[str, Any]:
    return document(await requests(stage).get(location.rsplit("/", 1)[1]))


async def test_a_redeploy_is_accepted_and_shown_at_its_location() -> None:
    stage = RedeployStage()

    reply = await post(stage)
    queued = document(reply)
    await stage.run()
    end = await show(stage, reply.headers["Location"])

    assert reply.status == 202
    assert (queued["state"], queued["done"]) == ("queued", False)
    assert (end["state"], end["done"]) == ("succeeded", True)
    assert end["asked_by"] == "ada@contoso.example"
    assert end["reason"] == "it hangs"
    assert end["digest_before"] == end["digest_after"] != ""
    assert [each["passed"] for each in end["evidence"]["new"]] == [True] * 3
    assert [each["task"] for each in end["steps"]][:3] == ["snapshot", "gate", "change"]


async def test_nobody_is_named_whose_sign_in_is_not_trusted() -> None:
    assert document(await post(RedeployStage(), trusts=False))["asked_by"] is None


async def test_the_evidence_of_both_is_shown_when_it_was_undone() -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True))

    reply = await post(stage, restart=None, image="registry.test/weight:2")
    await stage.run()
    end = await show(stage, reply.headers["Location"])

    assert (end["state"], end["change"], end["target"]) == (
        "undone",
        "image",
        "registry.test/weight:2",
    )
    assert {each["verdict"] for each in end["evidence"]["new"]} == {"wrong"}
    assert {each["verdict"] for each in end["evidence"]["old"]} == {"healthy"}


async def test_of_two_at_once_one_is_accepted_and_one_told_where_the_other_is() -> None:
    stage = RedeployStage()

    first, second = await asyncio.gather(post(stage), post(stage))

    assert sorted([first.status, second.status]) == [202, 409]
    assert first.headers["Location"] == second.headers["Location"]


async def test_cooldown_is_told_with_its_end() -> None:
    stage = RedeployStage()
    await post(stage)
    await stage.run()

    reply = await post(stage)

    assert reply.status == 429
    assert 0 < int(reply.headers["Retry-After"]) <= 600


async def test_a_spent_budget_is_told_with_its_end() -> None:
    stage = RedeployStage(allowance=Allowance(cooldown=timedelta(0), budget=1))
    await post(stage)
    await stage.run()

    reply = await post(stage)

    assert reply.status == 429
    assert int(reply.headers["Retry-After"]) > 80_000


async def test_other_grounds_end_it_refused_where_everybody_can_read_why() -> None:
    stage = RedeployStage()
    for name in stage.subjects:
        stage.states.states[name] = ServiceState(health=Health.UNHEALTHY, checked_at=stage.clock)

    reply = await post(stage)
    await stage.run()
    end = await show(stage, reply.headers["Location"])

    assert (reply.status, end["state"]) == (202, "refused")
    assert [each["ground"] for each in end["refusals"]] == ["breaker_open"]


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("nobody", {}, 404, "name"),
        ("weight", {"image": "weight:1"}, 400, "restart"),
        ("weight", {"restart": None}, 400, "body"),
        ("weight", {"stages": ["nobody"]}, 400, "stages[0]"),
        ("weight", {"reason": None}, 400, "reason"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_begun(
    name: str, body: dict[str, Any], status: int, field: str
) -> None:
    stage = RedeployStage()

    with pytest.raises(InvalidRequestError) as caught:
        await post(stage, name, **body)

    assert (caught.value.status, caught.value.field) == (status, field)
    assert stage.store.records == {}
    assert stage.queue.messages == []


@pytest.mark.parametrize("given", ["x", "01b8fc3f-0a00-72b8-a8fb-cb2ddf83fd69", "~", "../x"])
async def test_a_redeploy_that_is_not_there_is_404(given: str) -> None:
    stage = RedeployStage()

    for ask in (requests(stage).get(given), requests(stage).abort(given, {})):
        with pytest.raises(InvalidRequestError) as caught:
            await ask
        assert caught.value.status == 404


async def test_an_abort_is_seen_at_once_and_done_by_the_next_step() -> None:
    stage = RedeployStage(mover=FakeMover(looks=20))
    location = (await post(stage)).headers["Location"]
    await stage.run(until=timedelta(minutes=3))

    reply = await requests(stage).abort(location.rsplit("/", 1)[1], SIGNED_IN)
    meanwhile = await show(stage, location)
    await stage.run()
    end = await show(stage, location)

    assert (reply.status, reply.headers["Location"]) == (202, location)
    assert (meanwhile["state"], meanwhile["aborting"]) == ("waiting", True)
    assert (end["state"], end["aborted_by"]) == ("aborted", "ada@contoso.example")


async def test_what_has_ended_cannot_be_aborted() -> None:
    stage = RedeployStage()
    location = (await post(stage)).headers["Location"]
    await stage.run()

    with pytest.raises(InvalidRequestError) as caught:
        await requests(stage).abort(location.rsplit("/", 1)[1], {})

    assert caught.value.status == 409


async def test_what_is_proven_and_clears_away_what_ran_before_cannot_be_aborted() -> None:
    stage = RedeployStage()
    redeploy_id = (await post(stage)).headers["Location"].rsplit("/", 1)[1]
    leaving = replace(await stage.redeploy(redeploy_id), is_clearing=True)
    await stage.store.save(leaving)

    with pytest.raises(InvalidRequestError, match="what ran before is being deleted") as caught:
        await requests(stage).abort(redeploy_id, {})

    assert caught.value.status == 409


async def test_a_services_redeploys_are_listed_newest_first() -> None:
    stage = RedeployStage(allowance=Allowance(cooldown=timedelta(0)))
    locations = []
    for _ in range(2):
        locations.append((await post(stage)).headers["Location"])
        await stage.run()
        stage.clock += timedelta(seconds=1)

    listed = document(await requests(stage).list("weight", {}))["redeploys"]

    assert [each["redeploy_id"] for each in listed] == [
        each.rsplit("/", 1)[1] for each in reversed(locations)
    ]
    with pytest.raises(InvalidRequestError):
        await requests(stage).list("weight", {"state": "queued"})


async def test_a_service_whose_address_is_not_known_is_not_touched() -> None:
    stage = RedeployStage()
    stage.subjects["weight"] = replace(stage.subjects["weight"], url="", problem="not known")

    location = (await post(stage)).headers["Location"]
    await stage.run()

    end = await show(stage, location)
    assert end["state"] == "refused"
    assert [each["ground"] for each in end["refusals"]] == ["address_unknown"]
    assert stage.mover.effects == []
