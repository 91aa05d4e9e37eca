"""A service that repeats its key tells it to nobody, however it writes it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import pytest

from shared.scoring.answer import FRONT_END_BYTES
from shared.scoring.examined import examine_golden, examine_route
from shared.scoring.judgement import CheckKind
from shared.scoring.key_echo import INSTEAD, SentKeys
from tests.support.scoring import LIVE, WEIGHT, a_probe, an_answer

KEYS = ("s3cret-key-42", 'with "quotes"/and\\more', "Zm9vYmFy/Q+canary7f3c5d==", "a.b*c(d)[e]")
WAYS: dict[str, Callable[[str], bytes]] = {
    "as a value": lambda key: as_json({"response": f"Bearer {key}"}),
    "without its scheme": lambda key: as_json({"response": key}),
    "as a name": lambda key: as_json({"response": {key: 1}}),
    "as an error": lambda key: as_json({"error": [f"bad key {key}"]}),
    "with escaped slashes": lambda key: as_json({"error": key}).replace(b"/", b"\\/"),
    "as escapes": lambda key: b'{"response": "%s"}' % escapes(key).encode(),
    "in JSON in JSON": lambda key: as_json({"response": json.dumps([json.dumps({"a": key})])}),
    "in JSON no further read": lambda key: as_json({"response": nested(key, 6)}),
    "in a URL": lambda key: as_json({"response": f"/score?code={quote(key, safe='')}"}),
    "in a URL in small letters": lambda key: as_json({"response": quote(key, safe="").lower()}),
    "in a URL in a URL": lambda key: as_json({"response": quote(quote(key, safe=""), safe="")}),
    "in HTML": lambda key: as_json({"response": f"<b>{escape(key)}</b>"}),
    "in thorough HTML": lambda key: as_json({"response": thorough_html(key)}),
    "in capitals": lambda key: as_json({"response": key.upper()}),
    "in base64": lambda key: as_json({"response": b64encode(f"Bearer {key}".encode()).decode()}),
    "where it is cut": lambda key: as_json({"response": "x" * 70 + key}),
    "as a text that is no JSON": lambda key: f"No ready replicas for {key}".encode(),
}


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def escapes(key: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in key)


def nested(key: str, levels: int) -> str:
    return json.dumps([nested(key, levels - 1)]) if levels else key


def thorough_html(key: str) -> str:
    return "".join(each if each.isalnum() else f"&#x{ord(each):X};" for each in key)


def plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_told_of_an_answer_holds_no_key(way: str, key: str) -> None:
    probe = a_probe(body=WAYS[way](key))
    sent = SentKeys.of({"Authorization": f"Bearer {key}"})

    as_it_is, told = examine_golden(WEIGHT, probe), examine_golden(WEIGHT, probe, sent)

    said = " ".join((told.error_text, *told.mismatches))
    assert bool(as_it_is.error_text) == bool(told.error_text)
    assert said
    assert plain(key)[:10] not in plain(said)
    assert b64encode(f"Bearer {key}".encode()).decode()[12:24] not in said


def test_an_answer_without_the_key_is_told_as_it_is() -> None:
    probe = an_answer({"response": 161.1})

    told = examine_golden(WEIGHT, probe, SentKeys.of({"x-api-key": "s3cret-key-42"}))

    assert told == examine_golden(WEIGHT, probe)
    assert "got 161.1" in told.mismatches[0]


def test_the_words_of_a_front_end_are_kept_without_the_key() -> None:
    body = b"No ready replicas \xff for s3cret-key-42" + b"x" * FRONT_END_BYTES
    probe = a_probe(status=503, body=body)
    sent = SentKeys.of({"x-api-key": "s3cret-key-42"})

    found = examine_route(CheckKind.LIVE, LIVE, probe, sent)

    assert found.probe is not None
    assert found.probe.body.startswith(b"No ready replicas \xff for " + INSTEAD.encode())
    assert len(found.probe.body) == FRONT_END_BYTES
