"""The message a handler is given is the one that the Python worker makes of the host's data."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter

from local_host.host_json import MessageEncoding
from local_host.queue_messages import UndecodableMessageError, manual_message, queue_message
from local_host.storage_queue import TakenMessage

FIELDS = (
    "id",
    "dequeue_count",
    "expiration_time",
    "insertion_time",
    "time_next_visible",
    "pop_receipt",
)


def a_message(text: str) -> TakenMessage:
    return TakenMessage(
        id="d1",
        text=text,
        dequeue_count=2,
        inserted_at=datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC),
        expires_at=datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC),
        next_visible_at=datetime(2026, 11, 21, 12, 10, 5, tzinfo=UTC),
        receipt="receipt",
    )


def test_every_field_is_as_the_converter_of_azure_functions_makes_it() -> None:
    sent = {
        "Id": "d1",
        "DequeueCount": 2,
        "ExpirationTime": "2026-11-28T12:00:05+00:00",
        "InsertionTime": "2026-11-21T12:00:05+00:00",
        "NextVisibleTime": "2026-11-21T12:10:05+00:00",
        "PopReceipt": "receipt",
    }
    metadata = {name: Datum(json.dumps(value), "json") for name, value in sent.items()}
    expected: Any = QueueMessageInConverter.decode(
        Datum("grüße", "string"), trigger_metadata=metadata
    )

    made = queue_message(
        a_message(b64encode("grüße".encode()).decode()), encoding=MessageEncoding.BASE64
    )

    assert type(made) is type(expected)
    assert made.get_body() == expected.get_body()
    assert {name: getattr(made, name) for name in FIELDS} == {
        name: getattr(expected, name) for name in FIELDS
    }


@pytest.mark.parametrize(
    ("encoding", "text", "body"),
    [
        (MessageEncoding.BASE64, "aGk=", b"hi"),
        (MessageEncoding.BASE64, " aG\r\nk= ", b"hi"),
        (MessageEncoding.BASE64, "/w==", b"\xff"),
        (MessageEncoding.BASE64, "", b""),
        (MessageEncoding.NONE, "aGk=", b"aGk="),
        (MessageEncoding.NONE, "é", "é".encode()),
    ],
    ids=["text", "white space", "bytes", "nothing", "no encoding", "no encoding, accents"],
)
def test_a_body_is_decoded_from(encoding: MessageEncoding, text: str, body: bytes) -> None:
    assert queue_message(a_message(text), encoding=encoding).get_body() == body


@pytest.mark.parametrize("text", ["aGk", "{}", "a-b_", "é"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(UndecodableMessageError, match="not base64"):
        queue_message(a_message(text), encoding=MessageEncoding.BASE64)


def test_a_message_by_hand_is_in_its_first_try_and_was_never_in_a_queue() -> None:
    message = manual_message("grüße")

    assert message.get_body() == "grüße".encode()
    assert (message.dequeue_count, message.pop_receipt) == (1, "")
    assert message.expiration_time == datetime.max.replace(tzinfo=UTC)


def test_a_receipt_is_not_shown() -> None:
    assert "receipt" not in repr(a_message("aGk="))
