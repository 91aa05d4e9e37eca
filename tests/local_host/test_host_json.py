"""host.json: the entries that the local host obeys."""

from datetime import timedelta
from pathlib import Path

import pytest

from local_host.host_json import (
    HostJson,
    HostJsonError,
    MessageEncoding,
    QueueOptions,
    read_host_json,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", HostJson(route_prefix="api", function_timeout=timedelta(minutes=30))),
        ('{"functionTimeout": "01:02:03"}', HostJson(function_timeout=timedelta(seconds=3723))),
        ('{"functionTimeout": "1.00:00:00"}', HostJson(function_timeout=timedelta(days=1))),
        ('{"functionTimeout": "-1"}', HostJson(function_timeout=None)),
        ('{"extensions": {"http": {"routePrefix": ""}}}', HostJson(route_prefix="")),
    ],
    ids=["the defaults", "a timeout", "a timeout in days", "no timeout", "no prefix"],
)
def test_host_json_says(tmp_path: Path, text: str, expected: HostJson) -> None:
    (tmp_path / "host.json").write_text(text, encoding="utf-8")

    assert read_host_json(tmp_path) == expected


QUEUES = """{"extensions": {"queues": {
    "messageEncoding": "none", "batchSize": 4, "maxDequeueCount": 2,
    "visibilityTimeout": "00:00:30", "maxPollingInterval": "00:00:00.2500000"}}}"""


def test_the_options_of_queues_are_read(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(QUEUES, encoding="utf-8")

    assert read_host_json(tmp_path).queues == QueueOptions(
        message_encoding=MessageEncoding.NONE,
        batch_size=4,
        new_batch_threshold=2,
        max_dequeue_count=2,
        visibility_timeout_seconds=30,
        max_polling_seconds=0.25,
    )


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('"batchSize": 33', "batchSize 33 is not a number from 1 to 32"),
        ('"maxDequeueCount": 0', "maxDequeueCount 0 is not a number of at least 1"),
        ('"newBatchThreshold": "8"', "newBatchThreshold '8' is not a number"),
        ('"messageEncoding": "utf8"', "messageEncoding 'utf8' is neither base64 nor none"),
        ('"visibilityTimeout": 30', "visibilityTimeout 30 is not hh:mm:ss"),
        ('"maxPollingInterval": "00:00:00"', "maxPollingInterval '00:00:00' is less than"),
    ],
)
def test_an_option_of_queues_is_refused(tmp_path: Path, entry: str, complaint: str) -> None:
    text = f'{{"extensions": {{"queues": {{{entry}}}}}}}'
    (tmp_path / "host.json").write_text(text, encoding="utf-8")

    with pytest.raises(HostJsonError, match=complaint):
        read_host_json(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"functionTimeout": "soon"}', "functionTimeout 'soon' is not hh:mm:ss"),
    ],
    ids=["cut off", "a list", "no time span"],
)
def test_host_json_is_refused_when(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "host.json").write_text(text, encoding="utf-8")

    with pytest.raises(HostJsonError, match=complaint):
        read_host_json(tmp_path)
