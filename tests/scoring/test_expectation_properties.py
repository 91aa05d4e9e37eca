"""Any answer compared with any expectation: no exception, and no false alarm."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.answer import MAX_LEVELS, read_answer, told_error, unwrap
from shared.scoring.expectation import MAX_MISMATCHES, mismatches
from shared.scoring.service import Expectation

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
DOCUMENTS = st.recursive(
    SCALARS | st.sampled_from(["NA", "NaN", "Inf", "-Inf", "[1]", '{"a": 1}', '"b"']),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("abc") | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
TABLES = st.lists(
    st.fixed_dictionaries({"p": NUMBERS, "class": st.sampled_from(["a", "b"])}), min_size=1
)


def expect(document: Any, **tolerance: float) -> Expectation:
    return Expectation(at="$", equals=document, **tolerance)


@given(document=DOCUMENTS)
def test_any_answer_equals_itself(document: Any) -> None:
    answer = read_answer(json.dumps(document).encode())

    assert mismatches(expect(document), answer.document) == ()


@given(document=DOCUMENTS)
def test_any_answer_equals_itself_in_a_box(document: Any) -> None:
    assert mismatches(expect([document]), unwrap(document)) == ()
    assert mismatches(expect(document), [unwrap(document)]) == ()


@given(document=DOCUMENTS, levels=st.integers(0, MAX_LEVELS))
def test_any_object_is_found_inside_texts_of_json(document: Any, levels: int) -> None:
    plain = {"scores": unwrap(document)}
    wrapped: Any = plain
    for _ in range(levels):
        wrapped = {"inner": json.dumps(wrapped)}

    path = "$" + ".inner" * levels
    answer = read_answer(json.dumps(wrapped).encode())

    assert mismatches(Expectation(at=path, equals=plain), answer.document) == ()


@given(expected=DOCUMENTS, got=DOCUMENTS)
def test_any_two_documents_can_be_compared(expected: Any, got: Any) -> None:
    found = mismatches(expect(expected), unwrap(got))

    assert len(found) <= MAX_MISMATCHES
    assert all(len(each) < 500 for each in found)


@given(body=st.binary(max_size=200))
def test_any_body_can_be_read(body: bytes) -> None:
    answer = read_answer(body)

    assert answer.is_json or isinstance(answer.document, str)
    assert isinstance(told_error({}, answer), str)


@given(expected=NUMBERS, off=st.floats(-0.9, 0.9))
def test_a_number_within_its_tolerance_is_right(expected: float, off: float) -> None:
    got = expected * (1 + 0.001 * off)

    assert mismatches(expect(expected, relative=0.001, absolute=1e-9), got) == ()


@given(expected=NUMBERS, off=st.floats(1.1, 1e6), sign=st.sampled_from([-1, 1]))
def test_a_number_beyond_its_tolerance_is_not(expected: float, off: float, sign: int) -> None:
    got = expected + sign * off * (0.5 + 0.001 * abs(expected))

    assert len(mismatches(expect(expected, relative=0.001, absolute=0.5), got)) == 1


@given(table=TABLES)
def test_the_order_of_columns_does_not_count(table: list[dict[str, Any]]) -> None:
    turned: Any = [dict(reversed(row.items())) for row in table]

    assert mismatches(expect(table), turned) == ()


@given(table=TABLES, row=st.data())
def test_one_other_cell_of_a_table_is_found(table: list[dict[str, Any]], row: Any) -> None:
    place = row.draw(st.integers(0, len(table) - 1))
    got: Any = [dict(each) for each in table]
    got[place]["p"] = "NA"

    assert len(mismatches(expect(table), got)) == 1
