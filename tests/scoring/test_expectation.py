"""An answer compared with what is expected of it, as R means it."""

import math
from typing import Any

import pytest

from shared.scoring.expectation import MAX_MISMATCHES, mismatches
from shared.scoring.json_path import compile_path, find_nodes
from shared.scoring.service import Expectation


def differs(expected: Any, got: Any, *, at: str = "$", **tolerance: Any) -> tuple[str, ...]:
    return mismatches(Expectation(at=at, equals=expected, **tolerance), got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        pytest.param(161.8533, 161.8533, id="a decimal itself"),
        pytest.param(161.8533, [161.8533], id="R boxes what is expected bare"),
        pytest.param([161.8533], 161.8533, id="R unboxes what is expected boxed"),
        pytest.param([[1]], 1, id="a box in a box"),
        pytest.param(3, 3.0, id="an integer and a double"),
        pytest.param([1, 2], [1.0, 2.0], id="a vector"),
        pytest.param({"a": 1, "b": 2}, {"b": [2], "a": [1]}, id="members in any order"),
        pytest.param(None, "NA", id="jsonlite writes a missing number as text"),
        pytest.param("NA", None, id="and a missing text as null"),
        pytest.param([1, None], [1, "NA"], id="in a vector"),
        pytest.param(None, math.nan, id="Python writes rpy2's NA_real_ as NaN"),
        pytest.param("NaN", math.nan, id="NaN as jsonlite writes it"),
        pytest.param(math.nan, "NaN", id="NaN as YAML writes it"),
        pytest.param("Inf", math.inf, id="Inf as jsonlite writes it"),
        pytest.param(-math.inf, "-Inf", id="-Inf as YAML writes it"),
        pytest.param([{"a": 1, "b": None}], [{"a": 1}], id="jsonlite drops NA from a record"),
        pytest.param([{"a": 1}], [{"a": 1, "b": None}], id="another serialiser keeps it"),
        pytest.param(["setosa"], ["setosa"], id="a factor is its labels"),
        pytest.param('{"scores": [1, 2]}', {"scores": [1, 2]}, id="a text of JSON is that JSON"),
        pytest.param([], [], id="an empty vector"),
        pytest.param(10**400, 10**400, id="an integer beyond any double"),
    ],
)
def test_is_as_expected(expected: Any, got: Any) -> None:
    assert differs(expected, got) == ()


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        pytest.param(161.8533, 161.1, id="a decimal is not its integer part"),
        pytest.param(161.8533, "161.8533", id="a text is no number"),
        pytest.param(1, True, id="TRUE is no number"),
        pytest.param(False, 0, id="nor is a number FALSE"),
        pytest.param([1, 2], [2, 1], id="the order of elements counts"),
        pytest.param([1, 2], [1, 2, 3], id="an element too many"),
        pytest.param([1, 2], [1], id="an element too few"),
        pytest.param({"a": 1}, {"a": 1, "b": 2}, id="a member too many"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, id="a member too few"),
        pytest.param(None, 0, id="a number where NA is expected"),
        pytest.param(0, "NA", id="NA where a number is expected"),
        pytest.param("NaN", "NA", id="NA is not NaN"),
        pytest.param("Inf", "-Inf", id="infinity has a sign"),
        pytest.param("Inf", 1e308, id="nothing finite is near infinity"),
        pytest.param(1e308, "Inf", id="nor the other way round"),
        pytest.param("setosa", "Setosa", id="case counts in labels"),
        pytest.param([{"a": 1}, {"a": 2}], {"a": [1, 2]}, id="records are not columns"),
        pytest.param({"a": [1, 2]}, [{"a": 1}, {"a": 2}], id="columns are not records"),
        pytest.param([], None, id="no elements is not a missing value"),
        pytest.param(10**400, 1.5, id="an integer beyond any double"),
    ],
)
def test_is_not_as_expected(expected: Any, got: Any) -> None:
    assert differs(expected, got)


@pytest.mark.parametrize(
    ("tolerance", "got", "right"),
    [
        ({"absolute": 5e-5}, 161.85334, True),
        ({"absolute": 5e-5}, 161.8534, False),
        ({"relative": 0.01}, 163.0, True),
        ({"relative": 0.01}, 160.0, False),
        ({"absolute": 1, "relative": 0.01}, 164.4, True),
        ({"absolute": 1, "relative": 0.01}, math.inf, False),
        ({}, 161.85330000000002, False),
    ],
)
def test_a_number_matches_within_its_tolerance(
    tolerance: dict[str, Any],
    got: float,
    right: bool,  # noqa: FBT001  # what a row says
) -> None:
    assert (differs(161.8533, got, **tolerance) == ()) is right


@pytest.mark.parametrize("got", [1e308, 0, "-Inf", "NaN"])
def test_no_tolerance_reaches_infinity(got: Any) -> None:
    assert differs("Inf", got, relative=0.5)


def test_a_tolerance_holds_inside_vectors_and_tables() -> None:
    expected = {"scores": [{"p": 0.5, "class": "a"}, {"p": 0.25, "class": "b"}]}
    got = {"scores": [{"class": "a", "p": 0.5001}, {"class": "b", "p": 0.2499}]}

    assert differs(expected, got, absolute=0.001) == ()
    assert len(differs(expected, got, absolute=0.00001)) == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("$.response", 161.8533),
        ("$.rows[1].p", 0.25),
        ("$.rows[*].p", [0.5, 0.25]),
        ("$['rows'][?@.p > 0.3].p", 0.5),
        ("$..p", [0.5, 0.25]),
        ("$.rows[?@.p > 1]", []),
    ],
)
def test_a_jsonpath_says_where(at: str, expected: Any) -> None:
    answer = {"response": [161.8533], "rows": [{"p": 0.5}, {"p": 0.25}]}

    assert differs(expected, answer, at=at) == ()


@pytest.mark.parametrize("expected", [1, None, []])
def test_a_path_to_one_value_that_finds_nothing_is_a_mismatch(expected: Any) -> None:
    found = differs(expected, {"response": 1}, at="$.respnse")

    assert len(found) == 1
    assert "found nothing there" in found[0]


@pytest.mark.parametrize("text", ["Healthy", "", "{half", "[1,2"])
def test_a_text_that_is_no_json_can_be_expected_itself(text: str) -> None:
    assert differs(text, text) == ()
    assert len(differs("x", text)) == 1
    assert len(differs("x", text, at="$.response")) == 1


def test_a_mismatch_names_path_expected_and_got() -> None:
    found = differs({"rows": [{"p": 0.5}]}, {"rows": [{"p": 0.6}]}, at="$")

    assert found == ('$["rows"]["p"]: expected 0.5, got 0.6',)


def test_a_shape_is_told_by_what_stands_there() -> None:
    (found,) = differs([{"a": 1}, {"a": 2}], {"a": [1, 2]})

    assert found == '$: expected [{"a": 1}, {"a": 2}], got {"a": [1, 2]}'


def test_only_the_first_mismatches_of_many_are_told() -> None:
    found = differs(list(range(100_000)), list(range(1, 100_001)))

    assert len(found) == MAX_MISMATCHES
    assert found[0] == "$[0]: expected 0, got 1"


@pytest.mark.parametrize("got", ["x" * 1_000_000, list(range(1_000_000)), {"a": ["y" * 10_000]}])
def test_a_large_value_is_shortened(got: Any) -> None:
    (found,) = differs(1, got)

    assert len(found) < 200
    assert found.endswith("...")


@pytest.mark.parametrize("function", ["match", "search"])
def test_a_pattern_that_could_hold_the_worker_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match="without match and search"):
        compile_path(f"$[?{function}(@.text, '(a+)+b')]")


def test_other_functions_of_the_standard_are_known() -> None:
    assert find_nodes(compile_path("$[?length(@.text) > 2].text"), [{"text": "abc"}]) == ["abc"]


def test_a_long_name_of_a_member_is_shortened_in_what_differs() -> None:
    found = differs({"a": 1}, {"a": 1, "b" * 900_000: 2})

    assert [len(each) < 500 for each in found] == [True]
