"""What health checks remember, as stored: states of services, and the rows of rounds."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.clients.service_records import (
    CheckHistoryClient,
    HourHistoryClient,
    ServiceStatesClient,
)
from shared.clients.storage import StorageAccount
from shared.clients.table import Table
from shared.scoring.judgement import Verdict
from shared.scoring.maintenance import Maintenance
from shared.scoring.records import (
    CheckHistory,
    CheckRow,
    HourHistory,
    MaintenanceWindows,
    ServiceStates,
)
from shared.scoring.state import Health, Mark, Round, ServiceState
from shared.scoring.uptime import RollUp
from tests.support.builders import NIGHT

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def a_state(text: str = "refused") -> ServiceState:
    return ServiceState(
        health=Health.UNHEALTHY,
        since=NIGHT - MINUTE,
        told=Health.UNHEALTHY,
        verdict=Verdict.DOWN,
        evidence="refused",
        text=text,
        checked_at=NIGHT,
        rounds=(Round(mark=Mark.GOOD), Round(mark=Mark.FAILED, changed=True)),
    )


def a_row(service: str = "weight", *, at: datetime = NIGHT, verdict: str = "healthy") -> CheckRow:
    return CheckRow(
        service=service,
        at=at,
        verdict=Verdict(verdict),
        evidence="golden_right",
        text="Größe 138: 161.8533 °",
        seconds=0.0421,
    )


async def test_a_state_is_found_as_it_was_stored(states: ServiceStates) -> None:
    assert await states.load() == {}

    await states.save({"weight": a_state(), "svm": ServiceState()})

    assert await states.load() == {"weight": a_state(), "svm": ServiceState()}


async def test_one_state_is_found_by_its_service(states: ServiceStates) -> None:
    await states.save({"weight": a_state(), "svm": ServiceState()})

    assert await states.get("weight") == a_state()
    assert await states.get("other") == ServiceState()


async def test_states_that_are_not_saved_again_stay(states: ServiceStates) -> None:
    await states.save({"weight": a_state("first"), "svm": a_state()})

    grown = replace((await states.load())["weight"], text="second")
    assert await states.save({"weight": grown}) == []

    found = await states.load()
    assert (found["weight"].text, found["svm"].text) == ("second", "refused")


async def test_a_large_estate_is_stored_as_a_whole(states: ServiceStates) -> None:
    await states.save({f"service-{number}": a_state(str(number)) for number in range(250)})

    assert len(await states.load()) == 250


async def test_a_state_that_cannot_be_read_spares_the_others(
    account: StorageAccount, table: str
) -> None:
    async with ServiceStatesClient(account, table=table) as states:
        await states.save({"weight": a_state()})
        odd = Table(account, table)
        await odd.put({"PartitionKey": "state", "RowKey": "svm", "State": '{"health": "purple"}'})
        await odd.close()

        found = await states.load()
        assert found == {"weight": a_state(), "svm": ServiceState()}

        # It begins anew.
        assert await states.save({"svm": replace(found["svm"], text="first look")}) == []
        assert (await states.get("svm")).text == "first look"


async def test_a_state_is_stored_over_the_version_only_that_it_grew_from(
    states: ServiceStates,
) -> None:
    await states.save({"weight": a_state("first"), "svm": a_state("first")})
    read = await states.load()
    await states.save({"weight": replace(read["weight"], text="another worker's")})

    left = await states.save({"weight": replace(read["weight"], text="ours")})

    assert left == ["weight"]
    assert (await states.get("weight")).text == "another worker's"
    # What goes with it may be left, too: it is what it was, and is stored when asked again.
    left = await states.save({name: replace(each, text="ours") for name, each in read.items()})
    assert "weight" in left
    again = {name: replace(each, text="ours") for name, each in (await states.load()).items()}
    assert await states.save(again) == []
    assert {each.text for each in (await states.load()).values()} == {"ours"}


async def test_a_new_state_replaces_none_that_came_meanwhile(states: ServiceStates) -> None:
    await states.save({"weight": a_state("another worker's")})

    assert await states.save({"weight": a_state("ours")}) == ["weight"]
    assert (await states.get("weight")).text == "another worker's"


async def test_a_state_that_was_forgotten_meanwhile_is_not_stored(states: ServiceStates) -> None:
    await states.save({"weight": a_state()})
    read = await states.get("weight")
    await states.forget("weight")

    assert await states.save({"weight": read}) == ["weight"]
    assert await states.load() == {}


async def test_a_services_rows_are_listed_newest_first(checks: CheckHistory) -> None:
    moments = [NIGHT - number * 50 * MINUTE for number in range(4)]
    await checks.append([a_row(at=at) for at in moments])
    await checks.append([a_row("weight-2"), a_row("weigh"), replace(a_row("svm"), seconds=None)])

    found = await checks.list_checks("weight", since=NIGHT - DAY, until=NIGHT + MINUTE)

    assert list(found) == [a_row(at=at) for at in moments]
    assert await checks.list_checks("svm", since=NIGHT, until=NIGHT + MINUTE) == [
        replace(a_row("svm"), seconds=None)
    ]


async def test_rows_are_listed_from_one_moment_until_before_another(checks: CheckHistory) -> None:
    await checks.append([a_row(at=NIGHT + number * MINUTE) for number in range(4)])

    found = await checks.list_checks("weight", since=NIGHT + MINUTE, until=NIGHT + 3 * MINUTE)

    assert [row.at for row in found] == [NIGHT + 2 * MINUTE, NIGHT + MINUTE]


async def test_a_row_that_is_stored_twice_is_one(checks: CheckHistory) -> None:
    await checks.append([a_row()])
    await checks.append([a_row(verdict="wrong")])

    found = await checks.list_checks("weight", since=NIGHT, until=NIGHT + MINUTE)

    assert [row.verdict for row in found] == ["wrong"]


async def test_a_round_of_a_large_estate_is_stored_as_a_whole(checks: CheckHistory) -> None:
    await checks.append([a_row(f"service-{number}") for number in range(250)])

    listed = await checks.list_checks("service-249", since=NIGHT, until=NIGHT + MINUTE)

    assert len(listed) == 1


async def test_the_rows_of_an_hour_are_listed_by_service_and_time(checks: CheckHistory) -> None:
    inside = [a_row("svm"), a_row("weight"), a_row("weight", at=NIGHT + 59 * MINUTE)]
    await checks.append([*reversed(inside), a_row(at=NIGHT - MINUTE), a_row(at=NIGHT + HOUR)])

    assert list(await checks.rows_of(NIGHT)) == inside


async def test_a_row_that_cannot_be_read_spares_the_others(
    account: StorageAccount, table: str
) -> None:
    async with CheckHistoryClient(account, table=table) as checks:
        await checks.append([a_row()])
        odd = Table(account, table)
        hour = NIGHT.strftime("%Y-%m-%dT%H")
        # As a later version of this app may have written it, before it was taken back.
        await odd.put(
            {
                "PartitionKey": hour,
                "RowKey": f"weight~{(NIGHT + MINUTE).isoformat()}",
                "Service": "weight",
                "At": NIGHT + MINUTE,
                "Verdict": "puzzled",
            }
        )
        await odd.put({"PartitionKey": hour, "RowKey": "weight~x"})
        await odd.close()

        assert await checks.rows_of(NIGHT) == [a_row()]
        assert await checks.list_checks("weight", since=NIGHT, until=NIGHT + HOUR) == [a_row()]


async def test_an_hour_that_cannot_be_read_spares_the_others(
    account: StorageAccount, table: str
) -> None:
    async with HourHistoryClient(account, table=table) as hours:
        await hours.save_hour(NIGHT, {"weight": RollUp(hour=NIGHT, rounds=12)})
        odd = Table(account, table)
        await odd.put({"PartitionKey": "weight", "RowKey": "2099-01-01T00", "RollUp": "{}"})
        await odd.close()

        found = await hours.list_hours("weight", since=NIGHT)

    assert [each.rounds for each in found] == [12]


async def test_an_hour_is_forgotten_and_no_other(checks: CheckHistory) -> None:
    await checks.append([a_row(f"service-{number}") for number in range(150)])
    await checks.append([a_row(at=NIGHT - MINUTE)])

    await checks.forget(NIGHT)
    await checks.forget(NIGHT)

    assert list(await checks.rows_of(NIGHT)) == []
    assert list(await checks.rows_of(NIGHT - HOUR)) == [a_row(at=NIGHT - MINUTE)]


def an_hour(hour: datetime, *, up_seconds: int = 3600) -> RollUp:
    return RollUp(hour=hour, rounds=12, up_seconds=up_seconds, slowest_ms=42)


async def test_hours_are_rolled_up_once_and_found_by_service(hours: HourHistory) -> None:
    assert await hours.rolled_until() is None

    for number in range(3):
        hour = NIGHT + number * HOUR
        await hours.save_hour(hour, {"weight": an_hour(hour), "svm": an_hour(hour, up_seconds=0)})

    assert await hours.rolled_until() == NIGHT + 3 * HOUR
    assert list(await hours.list_hours("weight", since=NIGHT + HOUR + MINUTE)) == [
        an_hour(NIGHT + HOUR),
        an_hour(NIGHT + 2 * HOUR),
    ]
    assert await hours.list_hours("other", since=NIGHT) == []


async def test_an_hour_without_a_service_is_done_all_the_same(hours: HourHistory) -> None:
    await hours.save_hour(NIGHT, {})

    assert await hours.rolled_until() == NIGHT + HOUR


async def test_hours_before_a_moment_are_forgotten(hours: HourHistory) -> None:
    for name in ("weight", "svm"):
        for number in range(3):
            hour = NIGHT + number * HOUR
            await hours.save_hour(hour, {name: an_hour(hour)})

    await hours.forget_hours(["weight"], before=NIGHT + 2 * HOUR)

    assert [each.hour for each in await hours.list_hours("weight", since=NIGHT)] == [
        NIGHT + 2 * HOUR
    ]
    assert len(await hours.list_hours("svm", since=NIGHT)) == 3


def a_maintenance(service: str = "weight", *, hours: float = 1) -> Maintenance:
    return Maintenance(
        service=service,
        until=NIGHT + hours * HOUR,
        reason="ein neues Modell",
        opened_by="ada.lindqvist@contoso.example",
        opened_at=NIGHT,
    )


async def test_a_maintenance_is_found_until_it_is_replaced_or_ended(
    windows: MaintenanceWindows,
) -> None:
    assert await windows.get("weight") is None

    await windows.put(a_maintenance())
    await windows.put(a_maintenance(hours=2))

    assert await windows.get("weight") == a_maintenance(hours=2)
    await windows.delete("weight")
    await windows.delete("weight")
    assert await windows.get("weight") is None


async def test_a_maintenance_is_in_force_until_its_end(windows: MaintenanceWindows) -> None:
    await windows.put(a_maintenance("svm", hours=2))
    await windows.put(a_maintenance())

    assert await windows.in_force(NIGHT + MINUTE) == {
        "weight": NIGHT + HOUR,
        "svm": NIGHT + 2 * HOUR,
    }
    assert await windows.in_force(NIGHT + HOUR) == {"svm": NIGHT + 2 * HOUR}
    assert await windows.in_force(NIGHT - MINUTE) == {}


async def test_a_state_is_forgotten_and_no_other(states: ServiceStates) -> None:
    await states.save({"weight": a_state(), "svm": a_state()})

    await states.forget("weight")
    await states.forget("weight")

    assert await states.load() == {"svm": a_state()}


async def test_all_hours_of_a_service_are_forgotten_however_many(hours: HourHistory) -> None:
    for number in range(101):
        hour = NIGHT + number * HOUR
        await hours.save_hour(hour, {"weight": an_hour(hour)})

    await hours.forget_hours(["weight"], before=NIGHT + 100 * HOUR)

    left = await hours.list_hours("weight", since=NIGHT)
    assert [each.hour for each in left] == [NIGHT + 100 * HOUR]
