"""host.json: the entries that the local host obeys."""

from datetime import timedelta
from pathlib import Path

import pytest

from local_host.host_json import HostJson, HostJsonError, read_host_json


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
