"""Deployments in Kubernetes' protobuf, as kubectl has written them since 1.32."""

import pytest

from azure_emulator.kubernetes import protobuf


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, *contents: bytes | str | int) -> bytes:
    """A field for each content: a number as such, a text or a message with its length."""
    return b"".join(_field(number, content) for content in contents)


def _field(number: int, content: bytes | str | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content % 2**64)
    whole = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(whole)) + whole


LABELS = field(1, "app") + field(2, "hello")
PORT = field(1, "") + field(2, 0) + field(3, 8000) + field(4, "")
CONTAINER = (
    field(1, "hello")
    + field(2, "registry.example/hello:1")
    + field(3, "sh", "-c", "")
    + field(5, "")
    + field(6, PORT)
    + field(7, field(1, "A") + field(2, "1"), field(1, "B") + field(2, ""))
    + field(8, b"")
)
TEMPLATE = field(1, field(11, LABELS)) + field(2, field(2, CONTAINER) + field(3, ""))


def written(spec: bytes = b"", *, kind: str = "Deployment", replicas: int = 0) -> bytes:
    """A whole body, with what Go writes though it is empty."""
    whole = (
        field(1, replicas)
        + field(2, field(1, LABELS))
        + field(3, TEMPLATE)
        + field(4, field(1, ""))
        + field(5, 0)
        + field(7, 0)
        + spec
    )
    metadata = field(1, "hello") + field(3, "default") + field(8, b"") + field(11, LABELS)
    content = field(1, metadata) + field(2, whole) + field(3, field(1, 0))
    kinds = field(1, "apps/v1") + field(2, kind)
    return b"k8s\x00" + field(1, kinds) + field(2, content)


def test_it_says_what_its_json_would_say() -> None:
    container = {
        "name": "hello",
        "image": "registry.example/hello:1",
        "command": ["sh", "-c", ""],
        "ports": [{"containerPort": 8000}],
        "env": [{"name": "A", "value": "1"}, {"name": "B"}],
    }
    labels = {"app": "hello"}

    assert protobuf.deployment(written()) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "hello", "namespace": "default", "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "strategy": {},
        },
    }


@pytest.mark.parametrize(
    ("spec", "name", "value"),
    [
        (field(5, 30), "minReadySeconds", 30),
        (field(6, 0), "revisionHistoryLimit", 0),
        (field(7, 1), "paused", True),
        (field(1, -1), "replicas", -1),
    ],
)
def test_a_zero_counts_where_nothing_would_mean_something_else(
    spec: bytes, name: str, value: object
) -> None:
    assert protobuf.deployment(written(spec))["spec"][name] == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        written(kind="DaemonSet"),
        written(field(1, "two")),
        written(field(3, 2)),
        written(field(4, field(2, field(1, b"\x08\x01")))),
        written(field(2, field(1, field(1, b"\xff")))),
        written(b"\x0d\x00\x00\x00\x00"),
        written()[:-1],
    ],
    ids=[
        "nothing",
        "another kind",
        "text for a number",
        "a number for a message",
        "more than is known",
        "no text",
        "another wire type",
        "cut",
    ],
)
def test_what_is_not_wholly_understood_is_not_taken(body: bytes) -> None:
    with pytest.raises((IndexError, KeyError, TypeError, ValueError)):
        protobuf.deployment(body)
