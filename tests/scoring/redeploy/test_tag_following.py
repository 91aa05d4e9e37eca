"""When a tag that was moved is followed, to what, and how often."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.errors import AzureRequestError, RunNotSucceededError
from shared.scoring.maintenance import Maintenance
from shared.scoring.redeploy.healing import Cause
from shared.scoring.redeploy.image_reference import ImageReference, parse_image
from shared.scoring.redeploy.mover import Change, ChangeKind, Snapshot
from shared.scoring.redeploy.record import Redeploy, State, Trigger
from shared.scoring.redeploy.tag_digests import cause_to_follow, followed_tag, running_digest
from shared.scoring.redeploy.tag_following import TagFollowing
from shared.scoring.service import Kind
from tests.support.fake_mover import Running, away
from tests.support.fake_tags import FakeTags
from tests.support.redeploy_stage import RedeployStage
from tests.support.redeploys import CLUSTER, NEW_DIGEST, NOON, OLD_DIGEST, a_redeploy, after
from tests.support.scoring_builders import a_subject

IMAGE = "registry.test/weight"
TAG = f"{IMAGE}:1"
OTHER_DIGEST = "sha256:" + "2" * 64
AKS = {"namespace": "default", "deployment": "weight"}


def to(target: str, *, at: float, state: State = State.SUCCEEDED, **changes: Any) -> Redeploy:
    """An earlier redeploy to an image, so many minutes after noon; by the tag unless said otherwise."""
    change = Change(kind=ChangeKind.IMAGE, target=target)
    fields = {"trigger": Trigger.TAG, "is_closed": True, **changes}
    return a_redeploy(at=after(at), change=change, state=state, **fields)


def cause(*recent: Redeploy, running: str = OLD_DIGEST, digest: str = NEW_DIGEST) -> Cause | None:
    followed = ImageReference(name=IMAGE, tag="1")
    return cause_to_follow(followed, recent, running=running, digest=digest, now=NOON)


def test_a_tag_that_moved_is_followed_to_its_digest_and_says_why() -> None:
    assert cause() == Cause(
        trigger=Trigger.TAG,
        change=Change(kind=ChangeKind.IMAGE, target=f"{TAG}@{NEW_DIGEST}"),
        reason=f"the tag {TAG} moved: {OLD_DIGEST} runs, it leads to {NEW_DIGEST}",
    )


def test_a_tag_that_leads_to_what_runs_is_left_alone() -> None:
    assert cause(digest=OLD_DIGEST) is None


NEW, OLD, OTHER = (f"{TAG}@{each}" for each in (NEW_DIGEST, OLD_DIGEST, OTHER_DIGEST))


@pytest.mark.parametrize(
    ("recent", "is_followed"),
    [
        ([to(NEW, at=-60, state=State.UNDONE)], False),
        ([to(NEW, at=-60, state=State.UNDO_FAILED)], False),
        ([to(NEW, at=-60, state=State.ABORTED)], False),
        ([to(NEW, at=-90, state=State.UNDONE), to(OTHER, at=-60)], False),
        ([to(NEW, at=-90), to(OLD, at=-60, trigger=Trigger.HEALING)], False),
        ([to(TAG, at=-90, trigger=Trigger.HTTP, digest_after=NEW_DIGEST)], False),
        ([to(NEW, at=-90), to(OLD, at=-60)], True),
        ([to(OTHER, at=-60, state=State.UNDONE, digest_after=NEW_DIGEST)], True),
        ([to(OTHER, at=-60)], True),
        ([to(NEW, at=-60, dry_run=True)], True),
        ([to(NEW, at=-30, state=State.REFUSED)], False),
        ([to(NEW, at=-90, state=State.REFUSED)], True),
    ],
    ids=[
        "undone",
        "undo failed",
        "aborted",
        "undone, though the tag led elsewhere since",
        "healed back to what ran before",
        "ordered by its tag, by hand",
        "the tag led elsewhere since",
        "it is what another was undone to",
        "another was tried",
        "a dry run only",
        "refused just now",
        "refused long ago",
    ],
)
def test_a_digest_is_tried_once_until_the_tag_led_elsewhere(
    recent: Sequence[Redeploy],
    is_followed: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    assert (cause(*recent) is not None) is is_followed


@pytest.mark.parametrize(
    ("image", "recent", "tag"),
    [
        (TAG, [], "1"),
        (OLD, [], "1"),
        (f"{IMAGE}@{OLD_DIGEST}", [to(f"{IMAGE}:2@{NEW_DIGEST}", at=-60, state=State.UNDONE)], "2"),
        (
            f"{IMAGE}@{OLD_DIGEST}",
            [
                to(f"{IMAGE}:2", at=-60),
                a_redeploy(at=after(-30), snapshot=Snapshot(image=f"{IMAGE}:3", digest=OLD_DIGEST)),
            ],
            "3",
        ),
    ],
    ids=["runs by tag", "runs by tag and digest", "named by an order", "named by what ran"],
)
def test_the_tag_that_was_named_last_is_followed(
    image: str, recent: Sequence[Redeploy], tag: str
) -> None:
    followed = followed_tag(Snapshot(image=image, digest=None), recent)

    assert followed is not None
    assert followed.tagged == f"{IMAGE}:{tag}"


@pytest.mark.parametrize(
    ("image", "recent"),
    [
        (f"{IMAGE}@{OLD_DIGEST}", []),
        ("", []),
        (f"{IMAGE}@{OLD_DIGEST}", [to("registry.test/height:1", at=-60)]),
        (f"{IMAGE}@{OLD_DIGEST}", [to(TAG, at=-60, state=State.REFUSED)]),
    ],
)
def test_where_no_tag_of_the_image_was_named_none_is_followed(
    image: str, recent: Sequence[Redeploy]
) -> None:
    assert followed_tag(Snapshot(image=image, digest=OLD_DIGEST), recent) is None


def test_what_runs_is_told_by_the_platform_first() -> None:
    assert running_digest(Snapshot(image=OLD, digest=NEW_DIGEST)) == NEW_DIGEST
    assert running_digest(Snapshot(image=OLD, digest=None)) == OLD_DIGEST
    assert running_digest(Snapshot(image=TAG, digest=None)) == ""


@pytest.mark.parametrize(
    ("image", "registry", "repository"),
    [
        ("contoso.azurecr.io/r/weight:1", "contoso.azurecr.io", "r/weight"),
        ("localhost:5000/weight:1", "localhost:5000", "weight"),
        ("localhost/weight:1", "localhost", "weight"),
        ("rocker/r-ver:4.4.1", "", "rocker/r-ver"),
        ("weight:1", "", "weight"),
    ],
)
def test_a_reference_names_a_registry_only_where_its_first_part_is_a_host(
    image: str, registry: str, repository: str
) -> None:
    found = parse_image(image)

    assert found is not None
    assert (found.registry, found.repository) == (registry, repository)


@pytest.mark.parametrize(
    ("kind", "fields", "advice"),
    [
        ("http", {}, "leave it out"),
        ("aml-online", {}, "name the new version in a redeploy"),
        ("aks", {"resource_id": CLUSTER}, "needs aks and resource_id"),
        ("aci", {}, "needs resource_id"),
    ],
)
def test_a_service_whose_tag_cannot_be_followed_is_refused_with_advice(
    kind: str, fields: dict[str, Any], advice: str
) -> None:
    with pytest.raises(ValidationError, match=advice):
        a_subject("weight", kind=kind, follow_tag=True, **fields)


def stage(*names: str) -> RedeployStage:
    made = RedeployStage()
    for name in names or ("weight",):
        made.subjects[name] = a_subject(
            name, kind="aks", resource_id=CLUSTER, aks=AKS, follow_tag=True
        )
    return made


async def tick(made: RedeployStage, tags: FakeTags) -> Sequence[Redeploy]:
    """Two hours pass, so that no cooldown holds."""
    following = TagFollowing(
        opening=made.opening(), movers={Kind.AKS: made.mover}, tags=tags, now=made.now
    )
    begun = await following.follow(list(made.subjects.values()))
    end = made.clock + timedelta(hours=2)
    await made.run(until=timedelta(hours=2))
    made.clock = end
    return begun


async def test_a_push_is_found_deployed_by_digest_and_proven_once() -> None:
    made, tags = stage(), FakeTags({TAG: NEW_DIGEST})

    (begun,) = await tick(made, tags)

    end = await made.redeploy(begun.redeploy_id)
    assert (end.state, end.trigger) == (State.SUCCEEDED, Trigger.TAG)
    assert made.mover.running["weight"].image == f"{TAG}@{NEW_DIGEST}"
    assert await tick(made, tags) == []
    assert made.mover.effects == [("weight", "change")]


async def test_a_push_that_answers_wrongly_is_undone_and_only_the_next_one_tried() -> None:
    made, tags = stage(), FakeTags({TAG: NEW_DIGEST})
    made.mover.wrong = True
    (begun,) = await tick(made, tags)

    assert (await made.redeploy(begun.redeploy_id)).state is State.UNDONE
    assert await tick(made, tags) == []

    made.mover.wrong = False
    tags.digests[TAG] = OTHER_DIGEST
    (second,) = await tick(made, tags)
    assert second.change.target == f"{TAG}@{OTHER_DIGEST}"
    assert made.mover.effects == [("weight", "change"), ("weight", "undo"), ("weight", "change")]


async def test_one_that_does_not_ask_for_it_is_not_even_looked_at() -> None:
    made, tags = RedeployStage(), FakeTags({TAG: NEW_DIGEST})

    assert await tick(made, tags) == []
    assert tags.asked == []
    assert made.mover.running == {}


async def test_one_in_maintenance_waits_until_it_is_over() -> None:
    made, tags = stage(), FakeTags({TAG: NEW_DIGEST})
    made.windows.windows["weight"] = Maintenance(
        service="weight", until=after(60), reason="", opened_by="ada", opened_at=NOON
    )

    assert await tick(made, tags) == []
    assert len(await tick(made, tags)) == 1


async def test_one_that_is_being_redeployed_is_left_alone() -> None:
    made, tags = stage(), FakeTags({TAG: NEW_DIGEST})
    await made.opened()

    assert await tick(made, tags) == []
    assert tags.asked == []


async def test_a_service_that_cannot_be_followed_is_named_and_spares_no_other() -> None:
    made = stage("weight", "second", "third")
    made.mover.running["second"] = Running(image=f"{IMAGE}@{OLD_DIGEST}")
    made.mover.running["third"] = Running(image="registry.test/third:1")
    tags = FakeTags(
        {TAG: NEW_DIGEST, "registry.test/third:1": AzureRequestError("503", status=503)}
    )

    with pytest.raises(RunNotSucceededError) as raised:
        await tick(made, tags)

    await made.run()
    assert "second: registry.test/weight@sha256:" in str(raised.value)
    assert "names no tag" in str(raised.value)
    assert "third: 503" in str(raised.value)
    assert made.mover.effects == [("weight", "change")]


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ({"errors": {"snapshot": away()}}, "busy"),
        ({"knows_digest": False}, "digest that runs of registry.test/weight:1 is not known"),
        ({"refuses": {ChangeKind.IMAGE: "spec.paused: it is paused"}}, "spec.paused"),
    ],
    ids=["platform away", "digest unknown", "refused by the platform"],
)
async def test_what_stands_against_following_is_told_and_nothing_is_queued(
    trouble: dict[str, Any], told: str
) -> None:
    made = stage()
    for name, value in trouble.items():
        setattr(made.mover, name, value)

    with pytest.raises(RunNotSucceededError, match=told):
        await tick(made, FakeTags({TAG: NEW_DIGEST}))

    assert made.store.records == {}


async def test_a_tag_that_the_registry_does_not_have_is_told() -> None:
    with pytest.raises(RunNotSucceededError, match=f"the registry has no tag {TAG}"):
        await tick(stage(), FakeTags())
