"""Which of Azure ML's own guard rails have holes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compute.guardrails import BUILT_IN_APPLICATIONS, Finding, audit
from shared.compute.instance import Compute
from shared.compute.native_settings import GuardRails, NativeSchedule
from shared.compute.rulebook import Rulebook
from shared.compute.schedule import parse_schedule
from shared.compute.windows_zones import ZONES, find_zone
from tests.support.builders import NIGHT, an_instance

DAYTIME = Rulebook(default=parse_schedule("Mon-Fri 07:00-20:00 Europe/Berlin"))
BERLIN = "W. Europe Standard Time"


def guarded(*, state: str | None = "Running", **rails: Any) -> Compute:
    """An instance whose rails are sound but for what is named."""
    sound = GuardRails(idle_time="PT60M", applications=("Jupyter", "Jupyter Lab"))
    return replace(an_instance(state=state), guard_rails=replace(sound, **rails))


def starts(cron: str = "", *, zone: str = BERLIN, **rest: Any) -> Compute:
    schedule = NativeSchedule(action="Start", enabled=True, time_zone=zone, cron=cron)
    return guarded(schedules=(replace(schedule, **rest),))


def found(compute: Compute, *, book: Rulebook = DAYTIME, at: datetime = NIGHT) -> list[str]:
    return [each.guardrail for each in audit([compute], book=book, at=at)]


def finding(compute: Compute) -> Finding:
    (only,) = audit([compute], book=DAYTIME, at=NIGHT)
    return only


def test_sound_rails_are_not_mentioned() -> None:
    assert audit([guarded()], book=DAYTIME, at=NIGHT) == ()


@pytest.mark.parametrize(
    ("rails", "expected"),
    [
        ({"idle_time": ""}, ["idle_shutdown_missing"]),
        ({"idle_time": "soon"}, ["idle_time_unreadable"]),
        ({"idle_time": "P3D"}, ["idle_time_too_long"]),
        ({"idle_time": "PT72H"}, ["idle_time_too_long"]),
        ({"idle_time": "PT4320M"}, ["idle_time_too_long"]),
        ({"idle_time": "P2DT23H"}, []),
        ({"applications": ("Jupyter", "RStudio")}, ["application_prevents_idle"]),
        ({"custom_services": ("posit",)}, ["application_prevents_idle"]),
        ({"applications": ()}, []),
        ({"identity": "SystemAssigned"}, ["identity_may_prevent_idle"]),
        ({"idle_time": "", "identity": "SystemAssigned"}, ["idle_shutdown_missing"]),
        (
            {"idle_time": "P3D", "custom_services": ("r",), "identity": "UserAssigned"},
            ["idle_time_too_long", "application_prevents_idle", "identity_may_prevent_idle"],
        ),
    ],
)
def test_idle_shutdown_is_audited(rails: dict[str, Any], expected: list[str]) -> None:
    assert found(guarded(**rails)) == expected


def test_a_finding_says_whose_what_and_how_to_mend_it() -> None:
    compute = guarded(custom_services=("rstudio",), applications=("rstudio", "Jupyter"))

    only = finding(compute)

    assert (only.id, only.name, only.owner) == (compute.id, compute.name, compute.owner)
    assert only.text == "With rstudio running it never counts as idle."
    assert only.suggestion
    assert only.certain


def test_what_depends_on_rights_that_cannot_be_seen_is_not_certain() -> None:
    only = finding(guarded(identity="SystemAssigned"))

    assert not only.certain
    assert "Contributor" in only.suggestion


@pytest.mark.parametrize("state", [None, "Creating", "Deleting", "CreateFailed"])
def test_what_is_not_there_yet_or_any_more_is_not_audited(state: str | None) -> None:
    assert found(guarded(state=state, idle_time="")) == []


def test_other_computes_are_not_audited() -> None:
    cluster = replace(guarded(idle_time=""), compute_type="AmlCompute")

    assert found(cluster) == []


@pytest.mark.parametrize(
    ("compute", "outside"),
    [
        (starts("0 8 * * 1-5"), False),
        (starts("0 8 * * *"), True),
        (starts("30 6 * * 1-5"), True),
        (starts("0 7 * * MON-FRI"), False),
        (starts("0 20 * * 1-5"), True),
        (starts("0 7 * * 1-5", zone="UTC"), False),
        (starts("0 6 * * 1-5", zone="UTC"), False),
        (starts("30 5 * * 1-5", zone="GMT Standard Time"), True),
        (starts("0 8 * * 6", enabled=False), False),
        (starts("0 8 * * 6", action="Stop"), False),
        (starts("0 8 * * 6", starts_at="2031-01-01T00:00:00"), False),
        (starts(frequency="Day", hours=(8,), minutes=(0,)), True),
        (starts(frequency="Week", hours=(8,), minutes=(0,), week_days=("Monday",)), False),
        (starts(frequency="Week", hours=(8, 21), minutes=(30,), week_days=("Monday",)), True),
        (starts(frequency="Week", starts_at="2024-01-07T08:00:00"), True),
        (starts(frequency="Week", starts_at="2024-01-08T08:00:00"), False),
        (starts(frequency="Month", hours=(8,), minutes=(0,), month_days=(28,)), True),
        (starts(frequency="Month", hours=(8,), minutes=(0,), month_days=(15,)), False),
        (starts(frequency="Month", interval=2, hours=(8,), month_days=(28,)), True),
    ],
)
def test_a_start_outside_the_window_undoes_our_stop(compute: Compute, *, outside: bool) -> None:
    assert found(compute) == (["start_outside_window"] if outside else [])


def test_it_says_when_in_the_schedules_own_zone() -> None:
    only = finding(starts("0 8 * * 6"))

    assert "Sat 2026-11-21 08:00 W. Europe Standard Time" in only.text


@pytest.mark.parametrize(("week", "outside"), [("2026-11-16", True), ("2026-11-23", True)])
def test_every_second_week_is_counted_from_its_start(week: str, *, outside: bool) -> None:
    biweekly = starts(
        frequency="Week", interval=2, starts_at=f"{week}T08:00:00", week_days=("Saturday",)
    )

    assert (found(biweekly) == ["start_outside_window"]) == outside
    first = finding(biweekly).text
    assert ("2026-11-21" in first) == (week == "2026-11-16")


@pytest.mark.parametrize(
    "compute",
    [
        starts("0 8 * * *", zone="Middle Earth Standard Time"),
        starts("0 8 * * *", zone=""),
        starts("at dawn"),
        starts("0 99 * * *"),
        starts("0 0 8 * * *"),
        starts(frequency="Hour"),
        starts(frequency=""),
        starts(frequency="Day", hours=(25,)),
    ],
)
def test_when_it_cannot_be_said_that_is_said(compute: Compute) -> None:
    only = finding(compute)

    assert only.guardrail == "start_times_unknown"
    assert not only.certain


def test_exemptions_and_tags_hold_for_starts_as_for_stops() -> None:
    always = replace(starts("0 3 * * *"), tags={"uptime": "always"})
    never = replace(starts("0 3 * * *"), tags={"shutdown": "never"})

    assert (found(always), found(never)) == ([], [])


def test_the_fourth_native_schedule_is_the_last() -> None:
    stop = NativeSchedule(action="Stop", enabled=True, time_zone=BERLIN, cron="0 19 * * *")

    assert found(guarded(schedules=(stop,) * 4)) == ["schedules_exhausted"]
    assert found(guarded(schedules=(stop,) * 3)) == []


def test_every_windows_zone_is_a_zone_of_this_machine() -> None:
    lost = [name for name in ZONES if find_zone(name) is None]

    assert lost == []
    assert len(ZONES) > 130
    assert find_zone("w. europe standard time") == ZoneInfo("Europe/Berlin")
    assert find_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    assert "Europe/Berlin" in available_timezones()


@given(text=st.text(max_size=40))
def test_no_name_of_a_zone_harms(text: str) -> None:
    assert find_zone(text) is None or text.strip()


@given(
    cron=st.one_of(st.text(max_size=20), st.from_regex(r"[0-9*/,L#-]{1,5}( [0-9*/,L#-]{1,5}){4}")),
    frequency=st.sampled_from(["", "Day", "Week", "Month", "Fortnight"]),
    hours=st.lists(st.integers(0, 30), max_size=3),
    starts_at=st.one_of(st.just(""), st.text(max_size=10), st.just("2026-11-20T25:00:00")),
)
def test_no_native_schedule_harms(
    cron: str, frequency: str, hours: list[int], starts_at: str
) -> None:
    compute = starts(cron, frequency=frequency, hours=tuple(hours), starts_at=starts_at)

    assert len(found(compute, at=datetime(2026, 3, 28, tzinfo=UTC))) <= 1


def test_the_built_in_applications_are_compared_without_case() -> None:
    assert all(name == name.lower() for name in BUILT_IN_APPLICATIONS)
