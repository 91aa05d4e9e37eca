"""Reading a file of services: all of it, or every problem with its place."""

import json
import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scoring.catalogue import Catalogue, CatalogueRejected, read_catalogue
from shared.scoring.document import MAX_BYTES, MAX_DEPTH, read_document
from shared.scoring.service import Service

GOOD = """\
version: 1
services:
  - name: weight
    kind: http
    url: http://127.0.0.1:8000
    preset: plumber
    checks:
      golden:
        - name: 138
          path: /weight
          query: {height: 138}
          expect:
            - at: $.response[0]
              equals: 161.8533
              absolute: 5e-5
"""


def problems(text: str) -> list[str]:
    rejected = read_catalogue(dedent(text))
    assert isinstance(rejected, CatalogueRejected)
    return [str(each) for each in rejected.problems]


def services(text: str) -> list[Service]:
    catalogue = read_catalogue(dedent(text))
    assert isinstance(catalogue, Catalogue), catalogue
    return list(catalogue.services)


def with_expected(value: str) -> object:
    text = GOOD.replace("name: 138", "name: a").replace("161.8533", value)
    return services(text)[0].checks.golden[0].expect[0].equals


def test_a_right_file_is_read() -> None:
    (service,) = services(GOOD.replace("name: 138", "name: height 138"))

    expected = service.checks.golden[0].expect[0]
    assert service.name == "weight"
    assert (expected.equals, expected.absolute) == (161.8533, 5e-5)


def test_json_is_read_as_well() -> None:
    file = {"version": 1, "services": [{"name": "a", "kind": "http", "url": "http://[::1]:1"}]}
    file["services"][0]["preset"] = "vetiver"  # type: ignore[index]  # a literal of this test

    assert [each.name for each in services(json.dumps(file, indent=2))] == ["a"]


def test_every_problem_is_told_at_once_with_its_place() -> None:
    text = """\
    version: 2
    services:
      - name: Weight
        kind: http
        url: ftp://r.example
      - name: svm
        kind: http
        url: https://r.example
        chekcs: {}
        checks:
          golden:
            - name: a
              path: /score
              expect:
                - at: response[0]
                  equals: 1
      - name: svm
        kind: http
    """

    assert problems(text) == [
        "version (line 1, column 10): input should be 1",
        (
            "services[0].name (line 3, column 11): string should match pattern "
            "'^[a-z0-9](-?[a-z0-9])*$'"
        ),
        "services[0].url (line 5, column 10): must begin with https:// or http://",
        "services[1].chekcs (line 9, column 13): is not a field of this format",
        (
            "services[1].checks.golden[0].expect[0].at (line 15, column 19): is not a JSONPath "
            "(RFC 9535, without match and search): write it like $.response[0]"
        ),
        (
            "services[2] (line 17, column 5): kind http needs url; nothing would be checked: give a "
            "preset, a live route or golden"
        ),
        "services[2].name (line 17, column 11): is the name of services[1], too",
    ]


def test_a_missing_field_is_told_where_it_belongs() -> None:
    told = problems("version: 1\nservices:\n  - kind: http\n    url: https://r.example\n")

    assert told == ["services[0].name (line 3, column 5): is missing"]


def test_a_key_that_is_given_twice_is_an_error() -> None:
    told = problems(GOOD + "version: 1\n")

    assert told == ["version (line 16, column 1): is given twice in the same mapping"]


@pytest.mark.parametrize("text", ["", "[]", "services", "42", "null", "--- {}"])
def test_what_is_no_file_of_services_is_told_so(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\nservices: [", "is not YAML from here on"),
        ("a: b: c", "line 1, column 5"),
        ("\ta: 1", "line 1, column 1"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document"),
        ("? [a]\n: 1", "a key must be a text"),
        ("? {a: 1}\n: 1", "a key must be a text"),
        ("a: &x [1]\n? *x\n: 1", "a key must be a text"),
        ("a: *x", "an alias of what is not there yet"),
        ("a: &x [*x]", "an alias of what is not there yet, or of what it is part of"),
        ("a: !!python/object/apply:os.system ['true']", "has a YAML tag"),
        ("a: !!binary aGk=", "has a YAML tag"),
        ("a: !secret x", "has a YAML tag"),
        ("a: \x00", "is not"),
        ("a: \ud800", "is not text that YAML allows"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_place(text: str, said: str) -> None:
    assert any(said in each for each in problems(text))


def test_depth_and_size_are_bounded() -> None:
    assert f"nests deeper than {MAX_DEPTH}" in problems("[" * 100_000)[0]
    assert "is larger than" in problems("#" * (MAX_BYTES + 1))[0]


def test_aliases_cannot_multiply_without_end() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    begun = time.process_time()

    told = problems(bomb)

    assert "holds more than" in told[0]
    assert time.process_time() - begun < 30


def test_aliases_cannot_nest_without_end() -> None:
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))

    assert f"nests deeper than {MAX_DEPTH}" in problems(deep)[0]


def test_an_alias_repeats_what_it_names() -> None:
    text = """\
    version: 1
    services:
      - {name: a, kind: http, url: "http://[::1]:1", checks: &quick {live: {path: /live}}}
      - {name: b, kind: http, url: "http://[::1]:2", checks: *quick}
    """

    first, second = services(text)

    assert first.checks == second.checks


def test_a_problem_behind_an_alias_is_told_where_it_is_used() -> None:
    text = """\
    version: 1
    services:
      - {name: a, kind: http, url: "http://[::1]:1", checks: &c {live: {path: live}}}
      - {name: b, kind: http, url: "http://[::1]:2", checks: *c}
    """

    assert [each.split(":")[0] for each in problems(text)] == [
        "services[0].checks.live.path (line 3, column 75)",
        "services[1].checks (line 4, column 58)",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("010", 10),
        ("5e-5", 5e-5),
        (".5", 0.5),
        ("-1", -1),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("null", None),
        ("~", None),
        ("true", True),
        ("'true'", "true"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("[1, null, NA]", [1, None, "NA"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values_are_what_json_would_have(written: str, meant: object) -> None:
    found = with_expected(written)

    assert found == meant
    assert type(found) is type(meant)


def test_problems_never_repeat_a_value() -> None:
    canary = "AKIAcanary9x8y7z6w5v4u"
    text = f"""\
    version: {canary}
    services:
      - name: {canary}
        kind: {canary}
        url: https://user:{canary}@r.example
        preset: {canary}
        checks: {{golden: [{{name: a, path: {canary}, expect: [{{at: {canary}, equals: 1}}]}}],
                  timeout_seconds: {canary}, live: {canary}}}
        credential: {{secret: {canary}, from_azure: {canary}, scheme: {canary}, header: "{canary}="}}
        {canary}=: 1
    """

    assert canary not in "\n".join(problems(text))


def test_a_broken_file_tells_a_hundred_problems_at_most() -> None:
    told = problems("version: 1\nservices:\n" + "  - {}\n" * 500)

    assert len(told) == 101
    assert told[-1] == "and 900 problems more"


def test_a_text_is_known_by_its_digest() -> None:
    text = GOOD.replace("name: 138", "name: a")

    first, again, other = read_catalogue(text), read_catalogue(text), read_catalogue(text + "\n")

    assert first.digest == again.digest != other.digest


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(text=st.text(alphabet=st.sampled_from("ab:-[]{}&*!?|>'\"\n #,12.~%@`"), max_size=60))
def test_any_text_is_a_catalogue_or_problems(text: str) -> None:
    found = read_catalogue(text)

    assert isinstance(found, CatalogueRejected)
    assert found.problems


_TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=12)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(value=_JSON)
def test_json_means_the_same_as_in_json(value: object) -> None:
    assert read_document(json.dumps(value, ensure_ascii=False)).value == value
