"""Answers unwrapped, and errors recognised inside answers that say 200."""

import gzip
import json
from typing import Any

import pytest

from shared.scoring.answer import front_end_says, read_answer, told_error
from shared.scoring.examined import examine_golden, examine_route
from shared.scoring.judgement import CheckKind
from shared.scoring.service import Expectation, Golden, Route
from tests.support.scoring import WEIGHT, a_golden_check, a_probe, an_answer


def wrapped(document: Any, levels: int) -> bytes:
    for _ in range(levels):
        document = json.dumps(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_up_to_three_levels_of_json_in_json_are_unwrapped(levels: int) -> None:
    assert read_answer(wrapped({"p": [1]}, levels)).document == {"p": [1]}


def test_a_fourth_level_stays_text() -> None:
    assert isinstance(read_answer(wrapped({"p": [1]}, 4)).document, str)


def test_an_rpy2_script_nests_texts_in_members_and_its_front_end_quotes_the_whole() -> None:
    scores = json.dumps({"r_scores": [[0.3, 0.7]], "r_times": ["2 ms"]})
    body = wrapped({"python_scores": scores, "python_times": "{}"}, 1)

    document = read_answer(body).document

    assert document == {
        "python_scores": {"r_scores": [[0.3, 0.7]], "r_times": ["2 ms"]},
        "python_times": {},
    }


@pytest.mark.parametrize("text", ["138", "true", "null", "Healthy", '"quoted"', "{half", "[1,2"])
def test_a_text_that_holds_no_object_or_array_stays_text(text: str) -> None:
    assert read_answer(json.dumps({"said": text}).encode()).document == {"said": text}


@pytest.mark.parametrize("body", [b"Healthy", b"", b"<html></html>", b"\xff\xfe", b"{half"])
def test_not_being_json_is_no_error(body: bytes) -> None:
    answer = read_answer(body)

    assert not answer.is_json
    assert told_error({}, read_answer(body)) == ""


def test_what_python_and_r_write_of_missing_numbers_is_read() -> None:
    document = read_answer(b'[NaN, Infinity, -Infinity, "NA", null]').document

    assert isinstance(document, list)
    assert str(document) == "[nan, inf, -inf, 'NA', None]"


@pytest.mark.parametrize("depth", [100, 10_000, 200_000])
def test_a_document_nested_without_measure_is_not_read(depth: int) -> None:
    body = b"[" * depth + b"]" * depth

    assert not read_answer(body).is_json


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def test_texts_nested_without_measure_are_not_unwrapped() -> None:
    inner = json.dumps(nested(40, 1))

    shallow = read_answer(json.dumps(nested(10, inner)).encode())
    deep = read_answer(json.dumps(nested(40, inner)).encode())

    assert shallow.document == nested(50, 1)
    assert deep.document == nested(40, inner)


def test_of_members_of_one_name_the_last_counts() -> None:
    assert read_answer(b'{"p": 1, "p": 2}').document == {"p": 2}


def test_a_byte_order_mark_is_no_content() -> None:
    assert read_answer(b'\xef\xbb\xbf{"p": 1}').document == {"p": 1}


@pytest.mark.parametrize(
    "document",
    [
        {"AML o16n run() function: error": "no kernlab"},
        '{"AML o16n run() function: error": "no kernlab"}',
        {"error": "no kernlab"},
        {"error": ["no kernlab"]},
        {"error": {"code": 3, "message": "no kernlab"}},
        {"Error": "no kernlab", "p": 1},
    ],
)
def test_an_error_told_inside_a_success_is_recognised(document: Any) -> None:
    assert "no kernlab" in told_error({}, read_answer(json.dumps(document).encode()))


@pytest.mark.parametrize(
    "document",
    [
        {"response": [161.8533]},
        {"prediction": 3, "error": 0.02},
        {"prediction": 3, "error": None},
        {"prediction": 3, "error": []},
        {"prediction": 3, "error": ""},
        {"prediction": 3, "error": False},
        {"errors": "none here"},
        [{"error": "a column of this name"}],
    ],
)
def test_a_result_is_not_taken_for_an_error(document: Any) -> None:
    assert told_error({}, read_answer(json.dumps(document).encode())) == ""


@pytest.mark.parametrize(("value", "failed"), [("True", True), ("False", False), ("true", True)])
def test_the_inference_servers_header_says_that_run_failed(
    value: str,
    failed: bool,  # noqa: FBT001  # what a row says
) -> None:
    told = told_error({"x-ms-run-function-failed": value}, read_answer(b"{}"))

    assert bool(told) is failed


def test_a_front_ends_text_inside_a_success_is_an_error() -> None:
    assert "No ready replicas" in told_error(
        {}, read_answer(b"No ready replicas for service weight")
    )
    assert front_end_says(b'{"p": 1}') is None


def test_a_table_that_speaks_of_replicas_is_no_error() -> None:
    assert told_error({}, read_answer(b'{"note": "no ready replicas were needed"}')) == ""


def test_a_golden_request_may_expect_an_error() -> None:
    refusal = Golden(
        name="no-height",
        path="/weight",
        expect=(Expectation(equals={"error": "height is missing"}),),
    )

    check = examine_golden(refusal, an_answer({"error": ["height is missing"]}))

    assert (check.mismatches, check.error_text) == ((), "")


def test_an_error_where_another_answer_was_expected_is_told_as_an_error() -> None:
    whole = Golden(name="all", path="/weight", expect=(Expectation(equals={"response": 1}),))

    check = examine_golden(whole, an_answer({"error": "no model"}))

    assert check.error_text == "error: no model"


def test_an_error_beside_a_right_value_is_an_error() -> None:
    check = a_golden_check(an_answer({"response": [161.8533], "error": "the model is stale"}))

    assert check.mismatches == ()
    assert check.error_text == "error: the model is stale"


def test_an_answer_that_is_no_json_is_told_as_such() -> None:
    check = a_golden_check(a_probe(body=b"<html>Sign in</html>"))

    assert "the answer is not JSON" in check.mismatches[0]


@pytest.mark.parametrize(
    ("route", "probe", "amiss"),
    [
        (Route(path="/"), a_probe(body=b"x"), False),
        (Route(path="/", contains="Healthy"), a_probe(body=b"Healthy"), False),
        (Route(path="/", contains="Healthy"), a_probe(body=b"healthy"), True),
        (Route(path="/", status=204), a_probe(status=204), False),
        (Route(path="/", status=401), a_probe(status=401), False),
        (Route(path="/"), a_probe(status=503), True),
    ],
)
def test_a_cheap_route_is_compared_with_its_declaration(
    route: Route,
    probe: Any,
    amiss: bool,  # noqa: FBT001  # what a row says
) -> None:
    assert bool(examine_route(CheckKind.LIVE, route, probe).mismatches) is amiss


def test_an_error_text_is_one_short_line() -> None:
    check = a_golden_check(an_answer({"error": "no\nkernlab\n" * 1000}))

    assert len(check.error_text) < 350
    assert "\n" not in check.error_text


def test_an_error_text_can_always_be_written() -> None:
    told = told_error({}, read_answer(b'{"error": "half a pair: \\ud800"}'))

    assert told.encode() == b"error: half a pair: ?"
    assert told_error({}, read_answer(b'"\\ud800 (overloaded)"')) == "? (overloaded)"


def test_a_right_answer_is_examined_as_right() -> None:
    check = a_golden_check(golden=WEIGHT)

    assert (check.mismatches, check.error_text) == ((), "")


def test_an_answer_that_comes_compressed_is_called_so() -> None:
    body = gzip.compress(b'{"response": [161.8533]}')

    plain, packed = (
        examine_golden(WEIGHT, a_probe(body=body, headers=headers))
        for headers in ({}, {"content-encoding": "gzip"})
    )

    assert plain.mismatches[0].startswith("the answer is not JSON;")
    assert packed.mismatches[0].startswith("the answer is compressed, which nobody asked for;")
