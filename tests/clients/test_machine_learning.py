"""Reading Azure ML's JSON, in which every inner property can be null, missing or something else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.machine_learning import MachineLearningClient
from shared.compute.azure import Price
from shared.compute.instance import Compute, LastOperation
from tests.support.arm_session import ArmSession, now, within
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace
from tests.support.virtual_time import run_virtually

WORKSPACE = a_workspace()
ID = f"{WORKSPACE.id}/computes/ci-ada"


class Listed:
    """An ARM that lists these items, and gets this body."""

    def __init__(self, items: Sequence[dict[str, Any]]) -> None:
        self._items = items

    async def list(self, _path: str, *, deadline: datetime) -> Sequence[dict[str, Any]]:
        assert deadline
        return self._items


def parsed(*items: dict[str, Any]) -> Sequence[Compute]:
    azure = MachineLearningClient(Listed(items), now=now)  # type: ignore[arg-type]  # only lists
    return run_virtually(azure.list_computes(WORKSPACE, deadline=NIGHT))


def instance(**inner: Any) -> Compute:
    """A compute instance with these inner properties."""
    properties = {"computeType": "ComputeInstance", "properties": inner}
    (found,) = parsed({"id": ID, "name": "ci-ada", "properties": properties})
    return found


def test_a_complete_instance_is_read_as_recorded() -> None:
    found = instance(
        state="Running",
        vmSize="STANDARD_DS3_V2",
        createdBy={"userName": "Ada", "userId": "1", "userOrgId": "2"},
        lastOperation={
            "operationName": "Start",
            "operationTime": "2024-12-03T09:08:05.1234567+00:00",
            "operationStatus": "Succeeded",
            "operationTrigger": "User",
        },
    )

    assert (found.state, found.vm_size, found.owner) == ("Running", "STANDARD_DS3_V2", "Ada")
    assert found.last_operation == LastOperation(
        name="Start",
        at=datetime(2024, 12, 3, 9, 8, 5, 123456, tzinfo=UTC),
        status="Succeeded",
        trigger="User",
    )


@pytest.mark.parametrize("odd", [None, 5, "text", [], True], ids=repr)
@pytest.mark.parametrize(
    "name", ["state", "vmSize", "createdBy", "lastOperation", "personalComputeInstanceSettings"]
)
def test_any_property_may_be_null_or_of_another_type(name: str, odd: Any) -> None:
    assert instance(**{name: odd}).name == "ci-ada"


@pytest.mark.parametrize(
    "properties", [{}, {"properties": None}, {"properties": {"properties": None}}, {"tags": None}]
)
def test_whole_levels_may_be_missing(properties: dict[str, Any]) -> None:
    (found,) = parsed({"id": ID, "name": "ci-ada", **properties})

    assert (found.state, found.owner, found.last_operation) == (None, "", None)
    assert found.location == WORKSPACE.location
    assert not found.is_instance


@pytest.mark.parametrize(
    ("created_by", "assigned", "owner"),
    [
        ({"userName": "Ada", "userId": "1"}, None, "Ada"),
        ({"userId": "1"}, None, "1"),
        ({"userName": None, "userId": "1"}, None, "1"),
        ({"userName": "Ada", "userId": "1"}, {"objectId": "2"}, "2"),
        ({"userName": "Ada", "userId": "1"}, {"objectId": "1"}, "Ada"),
        ({"userName": "Ada", "userId": "1"}, {"objectId": None}, "Ada"),
        (None, {"objectId": "2"}, "2"),
        (None, None, ""),
    ],
)
def test_the_owner_is_whom_it_was_assigned_to_else_its_creator(
    created_by: Any, assigned: Any, owner: str
) -> None:
    settings = {"assignedUser": assigned}

    found = instance(createdBy=created_by, personalComputeInstanceSettings=settings)

    assert found.owner == owner


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-12-03T09:08:05Z", datetime(2024, 12, 3, 9, 8, 5, tzinfo=UTC)),
        ("2024-12-03T09:08:05", datetime(2024, 12, 3, 9, 8, 5, tzinfo=UTC)),
        ("2023-08-08T04:12:46.631+00:00", datetime(2023, 8, 8, 4, 12, 46, 631000, tzinfo=UTC)),
        ("2024-12-03T11:08:05.0000000+02:00", datetime(2024, 12, 3, 9, 8, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read_in_utc_or_not_at_all(text: str, at: datetime | None) -> None:
    last = instance(lastOperation={"operationName": "Stop", "operationTime": text}).last_operation

    assert last is not None
    assert last.at == at
    assert at is None or str(last.at).endswith("+00:00")


@pytest.mark.parametrize("value", [None, "", 5, True])
def test_tags_are_texts(value: Any) -> None:
    (found,) = parsed({"id": ID, "name": "ci-ada", "tags": {"shutdown": value}})

    assert all(isinstance(each, str) for each in found.tags.values())


@pytest.mark.parametrize(
    "item",
    [{}, {"id": ID}, {"name": "a"}, {"id": 5, "name": "a"}, {"id": "x/y", "name": "a"}],
    ids=repr,
)
def test_what_has_no_id_or_name_is_passed_over_and_said(
    item: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert parsed(item) == []
    assert "without id or name" in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "properties",
                    "state",
                    "createdBy",
                    "userId",
                    "lastOperation",
                    "operationTime",
                    "tags",
                ]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@given(properties=JSON, tags=JSON, location=JSON)
def test_no_document_is_a_crash(properties: Any, tags: Any, location: Any) -> None:
    item = {"id": ID, "name": "ci-ada", "properties": properties, "tags": tags}

    (found,) = parsed({**item, "location": location})

    assert found.id == ID


def priced(name: str = "Standard_DS3_v2", **changed: Any) -> dict[str, Any]:
    value = {"retailPrice": 0.29, "osType": "Linux", "vmTier": "Standard", **changed}
    return {"name": name, "estimatedVMPrices": {"billingCurrency": "EUR", "values": [value]}}


async def list_prices(session: ArmSession, *sizes: Any) -> dict[str, Price]:
    session.emulator.fault("/vmSizes$", status=200, body={"value": list(sizes)})
    async with session.machine_learning() as azure:
        return dict(await azure.list_prices(SUBSCRIPTION, "westeurope", deadline=within(10)))


async def test_a_price_is_that_of_a_standard_linux_machine(session: ArmSession) -> None:
    windows, spot = priced(osType="Windows"), priced("Standard_Spot", vmTier="Spot")

    prices = await list_prices(session, priced("Standard_DS3_v2"), spot, {**windows, "name": "W"})

    assert prices == {"standard_ds3_v2": Price(per_hour=0.29, currency="EUR")}


@pytest.mark.parametrize(
    "amount", [None, "0.29", True, -1, 1e300, 10**400, float("nan"), float("inf")], ids=repr
)
async def test_a_price_that_cannot_be_added_up_is_none(session: ArmSession, amount: Any) -> None:
    assert await list_prices(session, priced(retailPrice=amount)) == {}


@pytest.mark.parametrize("size", [None, 5, {}, {"name": "A"}, {"estimatedVMPrices": None}])
async def test_sizes_without_prices_are_passed_over(session: ArmSession, size: Any) -> None:
    assert len(await list_prices(session, size, priced())) == 1


@pytest.mark.parametrize("code", ["MissingSubscriptionRegistration", "SubscriptionNotRegistered"])
async def test_a_subscription_without_the_provider_has_no_workspaces(
    session: ArmSession, code: str
) -> None:
    body = {"error": {"code": code, "message": "Not registered."}}
    session.emulator.fault("/workspaces$", status=409, body=body)

    async with session.machine_learning() as azure:
        assert not await azure.list_workspaces(SUBSCRIPTION, deadline=within(10))


async def test_a_subscription_without_an_id_is_passed_over(session: ArmSession) -> None:
    body = {"value": [{"subscriptionId": SUBSCRIPTION}, {"subscriptionId": None}, {}]}
    session.emulator.fault("/subscriptions$", status=200, body=body)

    async with session.machine_learning() as azure:
        assert await azure.list_subscriptions(deadline=within(10)) == [SUBSCRIPTION]
