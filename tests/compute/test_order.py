"""What a caller may ask for, and which field is named when it makes no sense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compute.order import RunOrder, parse_body, parse_query
from shared.errors import InvalidRequestError
from tests.support.builders import SUBSCRIPTION, a_workspace, an_instance

WORKSPACE_ID, INSTANCE_ID = a_workspace().id, an_instance().id


def refused(body: bytes | object) -> InvalidRequestError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidRequestError) as raised:
        parse_body(raw)
    return raised.value


@pytest.mark.parametrize("body", [b"", b"  \r\n", b"{}"])
def test_an_empty_body_orders_the_whole_estate_in_earnest(body: bytes) -> None:
    order = parse_body(body)

    assert order == RunOrder()
    assert not order.narrows
    assert not order.dry_run
    assert order.deadline_seconds == 200


def test_everything_may_be_given() -> None:
    order = parse_body(
        json.dumps(
            {
                "subscriptions": [SUBSCRIPTION, f"/subscriptions/{SUBSCRIPTION}"],
                "workspaces": ["mlw-churn", WORKSPACE_ID],
                "instances": ["ci-ada", INSTANCE_ID],
                "dry_run": True,
                "reason": "a fire drill",
                "deadline_seconds": 1,
            }
        ).encode()
    )

    assert order.narrows
    assert order.dry_run
    assert (order.reason, order.deadline_seconds) == ("a fire drill", 1)
    assert order.instances == ["ci-ada", INSTANCE_ID]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"no",
        b"\xff\xfe",
        b"{'a': 1}",
        b'{"reason": "a"} x',
        b"[" * 60_000,
        b'{"reason": "\\ud800"}',
    ],
    ids=["half", "a word", "no UTF-8", "single quotes", "too much", "too deep", "half a character"],
)
def test_a_body_that_is_not_json_is_said_to_be_just_that(body: bytes) -> None:
    error = refused(body)

    assert (error.field, error.status) == ("body", 400)
    assert error.detail == "is not valid JSON"


@pytest.mark.parametrize("body", [[], None, "text", 5, True])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert refused(body).field == "body"


def test_a_body_over_64_kib_is_too_large() -> None:
    error = refused(b" " * (64 * 1024) + b"{")

    assert (error.field, error.status) == ("body", 413)


def test_a_body_of_exactly_64_kib_is_read() -> None:
    padded = b'{"reason": "a"}'.ljust(64 * 1024)

    assert parse_body(padded).reason == "a"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subscription": [SUBSCRIPTION]}, "subscription"),
        ({"Dry_run": True}, "Dry_run"),
        ({"subscriptions": SUBSCRIPTION}, "subscriptions"),
        ({"subscriptions": {}}, "subscriptions"),
        ({"instances": ["ci-ada"], "workspaces": 5}, "workspaces"),
        ({"instances": [5]}, "instances[0]"),
        ({"instances": ["ci-ada", None]}, "instances[1]"),
        ({"instances": [""]}, "instances[0]"),
        ({"instances": ["x" * 1001]}, "instances[0]"),
        ({"instances": ["x"] * 1001}, "instances"),
        ({"dry_run": "true"}, "dry_run"),
        ({"dry_run": 1}, "dry_run"),
        ({"dry_run": None}, "dry_run"),
        ({"reason": 5}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"deadline_seconds": "200"}, "deadline_seconds"),
        ({"deadline_seconds": 20.5}, "deadline_seconds"),
        ({"deadline_seconds": True}, "deadline_seconds"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"deadline_seconds": -1}, "deadline_seconds"),
        ({"deadline_seconds": 201}, "deadline_seconds"),
        ({"deadline_seconds": 10**30}, "deadline_seconds"),
    ],
)
def test_the_field_that_is_wrong_is_named(body: object, field: str) -> None:
    error = refused(body)

    assert (error.field, error.status) == (field, 400)
    assert error.detail


@pytest.mark.parametrize("field", ["subscriptions", "workspaces", "instances"])
def test_an_empty_list_is_refused_since_it_does_not_mean_all(field: str) -> None:
    error = refused({field: []})

    assert error.field == field
    assert error.detail == "must not be empty; leave it out to mean all"


@pytest.mark.parametrize("field", ["subscriptions", "workspaces", "instances"])
def test_null_is_refused_since_it_does_not_mean_all(field: str) -> None:
    error = refused({field: None})

    assert error.field == field
    assert error.detail == "must not be null; leave it out to mean all"


@pytest.mark.parametrize("seconds", [1, 200])
def test_the_deadline_has_both_its_ends(seconds: int) -> None:
    assert (
        parse_body(json.dumps({"deadline_seconds": seconds}).encode()).deadline_seconds == seconds
    )


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("subscriptions", "production"),
        ("subscriptions", "/subscriptions/production"),
        ("subscriptions", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"),
        ("subscriptions", f"{SUBSCRIPTION} "),
        ("workspaces", f"/subscriptions/{SUBSCRIPTION}"),
        ("workspaces", INSTANCE_ID),
        ("workspaces", "rg-ml/mlw-churn"),
        ("workspaces", "/mlw-churn"),
        ("instances", WORKSPACE_ID),
        ("instances", f"{INSTANCE_ID}/stop"),
        ("instances", "mlw-churn/ci-ada"),
        ("instances", "https://management.azure.com" + INSTANCE_ID),
    ],
)
def test_a_name_is_bare_or_the_full_id_of_its_kind(field: str, name: str) -> None:
    error = refused({field: ["ci-ada" if field != "subscriptions" else SUBSCRIPTION, name]})

    assert (error.field, error.status) == (f"{field}[1]", 400)
    assert "must be" in error.detail


@pytest.mark.parametrize("spelling", [str.upper, str.lower, str])
def test_ids_are_taken_in_any_case_and_with_a_slash_at_the_end(spelling: Any) -> None:
    body = {
        "subscriptions": [spelling(SUBSCRIPTION)],
        "workspaces": [spelling(WORKSPACE_ID) + "/"],
        "instances": [spelling(INSTANCE_ID) + "/"],
    }

    assert parse_body(json.dumps(body).encode()).narrows


@pytest.mark.parametrize("spelling", ["/SUBSCRIPTIONS/", "/Subscriptions/"])
def test_a_subscriptions_path_is_taken_in_any_case(spelling: str) -> None:
    body = {"subscriptions": [spelling + SUBSCRIPTION]}

    assert parse_body(json.dumps(body).encode()).narrows


def test_a_plan_is_a_dry_run_of_what_its_query_names() -> None:
    order = parse_query({"instances": "ci-ada, ci-bob", "workspaces": WORKSPACE_ID, "code": "key"})

    assert order.dry_run
    assert order.instances == ["ci-ada", "ci-bob"]
    assert order.workspaces == [WORKSPACE_ID]


def test_a_plan_without_a_query_is_of_the_whole_estate() -> None:
    assert parse_query({}) == RunOrder(dry_run=True, respect_schedule=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"instance": "ci-ada"}, "instance"),
        ({"dry_run": "false"}, "dry_run"),
        ({"deadline_seconds": "5"}, "deadline_seconds"),
        ({"instances": ""}, "instances[0]"),
        ({"instances": "ci-ada,,ci-bob"}, "instances[1]"),
        ({"subscriptions": "production"}, "subscriptions[0]"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_parameter(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_query(query)

    assert (raised.value.field, raised.value.status) == (field, 400)


def test_the_answer_to_a_wrong_body_does_not_repeat_it() -> None:
    assert "canary" not in str(refused({"deadline_seconds": "canary"}))


def field_of(body: bytes) -> str:
    """The field that is wrong; empty for an order that makes sense."""
    try:
        parse_body(body)
    except InvalidRequestError as error:
        return error.field or "nameless"
    return ""


@given(st.binary(max_size=200))
def test_any_bytes_are_an_order_or_name_a_field(body: bytes) -> None:
    assert field_of(body) in {"", "body"}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*RunOrder.model_fields]), JSON_VALUES))
def test_any_values_are_an_order_or_name_a_field(body: dict[str, Any]) -> None:
    field = field_of(json.dumps(body).encode())

    assert not field or field == "body" or field.partition("[")[0] in body
