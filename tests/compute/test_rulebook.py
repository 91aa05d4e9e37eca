"""Which rule decides about a machine: the first hit wins, and every rule is found where it stands."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.compute.exemptions import Exemption
from shared.compute.instance import Compute
from shared.compute.rulebook import Rulebook, Source
from shared.compute.schedule import parse_schedule
from tests.support.builders import NIGHT, a_workspace, an_instance

BERLIN = "Mon-Fri 07:30-20:30 Europe/Berlin"
TOKYO = "Mon-Fri 09:00-18:00 Asia/Tokyo"
DEFAULT = "Mon-Sun 06:00-22:00 UTC"
WORKSPACE = a_workspace().id
ADA = f"{WORKSPACE}/computes/ci-ada"


def an_exemption(
    resource_id: str = ADA, *, exemption_id: str = "one-more-night", hours: float = 8
) -> Exemption:
    return Exemption(
        exemption_id=exemption_id,
        resource_id=resource_id,
        until=NIGHT + timedelta(hours=hours),
        reason="training",
        claimed_by="",
        created_at=NIGHT - timedelta(hours=1),
    )


def a_book(*exemptions: Exemption, by_the_book: bool = True) -> Rulebook:
    default = parse_schedule(DEFAULT)
    return Rulebook(default=default, exemptions=exemptions, by_the_book=by_the_book)


def a_machine(
    *, tags: Mapping[str, str] | None = None, workspace: Mapping[str, str] | None = None
) -> Compute:
    return an_instance(tags=tags, workspace=a_workspace(tags=workspace))


def test_without_anything_else_the_default_schedule_decides() -> None:
    rule = a_book().rule(a_machine(), at=NIGHT)

    assert (rule.source, rule.text) == (Source.DEFAULT_SCHEDULE, DEFAULT)


# Each line holds all rules from some rank on; the first of them must win.
NEVER, BY_BERLIN, BY_TOKYO = {"shutdown": "never"}, {"uptime": BERLIN}, {"uptime": TOKYO}
RANKS: dict[str, tuple[Compute, Source, str]] = {
    "never on the instance": (
        a_machine(tags=NEVER | BY_BERLIN, workspace=NEVER | BY_TOKYO),
        Source.INSTANCE_TAG,
        "shutdown=never",
    ),
    "never on the workspace": (
        a_machine(tags=BY_BERLIN, workspace=NEVER | BY_TOKYO),
        Source.WORKSPACE_TAG,
        "shutdown=never",
    ),
    "uptime on the instance": (
        a_machine(tags=BY_BERLIN, workspace=BY_TOKYO),
        Source.INSTANCE_TAG,
        f"uptime={BERLIN}",
    ),
    "uptime on the workspace": (
        a_machine(workspace=BY_TOKYO),
        Source.WORKSPACE_TAG,
        f"uptime={TOKYO}",
    ),
}


@pytest.mark.parametrize(("machine", "source", "text"), RANKS.values(), ids=RANKS.keys())
def test_the_first_rule_that_says_something_wins(
    machine: Compute, source: Source, text: str
) -> None:
    rule = a_book().rule(machine, at=NIGHT)

    assert (rule.source, rule.text) == (source, text)


@pytest.mark.parametrize("machine", [case[0] for case in RANKS.values()], ids=RANKS.keys())
def test_an_exemption_wins_over_all_of_them(machine: Compute) -> None:
    rule = a_book(an_exemption()).rule(machine, at=NIGHT)

    assert (rule.source, rule.text) == (Source.EXEMPTION, "one-more-night")


@pytest.mark.parametrize(
    ("resource_id", "covered"),
    [
        (ADA, True),
        (ADA.upper(), True),
        (WORKSPACE, True),
        (WORKSPACE.lower(), True),
        (f"{WORKSPACE}/computes/ci-ad", False),
        (f"{WORKSPACE}/computes/ci-ada2", False),
        (f"{WORKSPACE}2", False),
        (WORKSPACE[:-1], False),
    ],
)
def test_an_exemption_covers_its_instance_or_all_of_its_workspace(
    resource_id: str, *, covered: bool
) -> None:
    rule = a_book(an_exemption(resource_id)).rule(a_machine(), at=NIGHT)

    assert (rule.source is Source.EXEMPTION) is covered


def test_an_exemption_ends_by_itself() -> None:
    exemption = an_exemption()

    rules = [
        a_book(exemption).rule(a_machine(), at=exemption.until + timedelta(seconds=seconds))
        for seconds in (-1, 0)
    ]

    assert [rule.source for rule in rules] == [Source.EXEMPTION, Source.DEFAULT_SCHEDULE]
    assert rules[0].next_change(NIGHT) == exemption.until


@pytest.mark.parametrize("place", ["tags", "workspace"])
def test_a_tag_that_cannot_be_understood_is_the_rule_where_it_stands(place: str) -> None:
    machine = a_machine(**{place: {"uptime": "never"}})

    rule = a_book().rule(machine, at=NIGHT)

    assert rule.misconfigured is not None
    assert rule.text == "uptime=never"
    assert rule.keeps_up(NIGHT)


def test_a_workspace_that_is_well_does_not_heal_its_instances_tag() -> None:
    machine = a_machine(tags={"uptime": "never"}, workspace=BY_BERLIN)

    rule = a_book().rule(machine, at=NIGHT)

    assert (rule.source, rule.misconfigured is not None) == (Source.INSTANCE_TAG, True)


def test_every_misconfigured_tag_is_told_also_behind_another_rule() -> None:
    machine = a_machine(tags=NEVER | {"uptme": BERLIN}, workspace={"auto-shutdown": "19:00"})

    found = a_book(an_exemption()).misconfigured(machine)

    assert [(owner, tag.tag) for owner, tag in found] == [
        (ADA, "uptme"),
        (WORKSPACE, "auto-shutdown"),
    ]


@pytest.mark.parametrize("tags", [{}, BY_BERLIN, {"uptime": "always"}])
def test_now_windows_count_for_nothing(tags: Mapping[str, str]) -> None:
    rule = a_book(by_the_book=False).rule(a_machine(tags=tags, workspace=tags), at=NIGHT)

    assert rule.source is Source.NOW
    assert not rule.keeps_up(NIGHT)


def test_now_still_honours_exemptions_and_never() -> None:
    book = a_book(an_exemption(), by_the_book=False)
    tagged = a_machine(workspace=NEVER)

    sources = [
        book.rule(a_machine(), at=NIGHT).source,
        a_book(by_the_book=False).rule(tagged, at=NIGHT).source,
    ]

    assert sources == [Source.EXEMPTION, Source.WORKSPACE_TAG]


@pytest.mark.parametrize(
    ("machine", "zone"),
    [
        (a_machine(), "UTC"),
        (a_machine(workspace=BY_TOKYO), "Asia/Tokyo"),
        (a_machine(tags=BY_BERLIN, workspace=BY_TOKYO), "Europe/Berlin"),
        (a_machine(tags=NEVER, workspace=BY_TOKYO), "Asia/Tokyo"),
    ],
)
def test_times_are_shown_in_the_zone_of_the_schedule_also_behind_an_exemption(
    machine: Compute, zone: str
) -> None:
    assert str(a_book(an_exemption()).zone(machine, at=NIGHT)) == zone
