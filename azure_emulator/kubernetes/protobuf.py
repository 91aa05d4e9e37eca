"""Kubernetes' protobuf: the wire, and Deployments as kubectl writes them.

Source: protobuf.dev's wire format; kubernetes.io/docs/reference/using-api/api-concepts (alternate
representations), 1.32; the numbers of the fields by generated.proto of k8s.io/api apps/v1 and core/v1
and of k8s.io/apimachinery meta/v1.
"""

from collections.abc import Iterator, Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2
# A pointer tells zero from nothing; all others are left out where they are zero.
_TEXT, _NUMBER, _POINTER, _FLAG, _MAP, _UNSAID = (
    "text",
    "number",
    "pointer",
    "flag",
    "map",
    "unsaid",
)
Fields = Mapping[int, bytes]
Object = dict[str, Any]

_METADATA = {
    1: ("name", _TEXT),
    2: ("generateName", _TEXT),
    3: ("namespace", _TEXT),
    11: ("labels", _MAP),
    12: ("annotations", _MAP),
}
_PORT = {
    1: ("name", _TEXT),
    2: ("hostPort", _NUMBER),
    3: ("containerPort", _NUMBER),
    4: ("protocol", _TEXT),
}
_CONTAINER = {
    1: ("name", _TEXT),
    2: ("image", _TEXT),
    3: ("command", [_TEXT]),
    4: ("args", [_TEXT]),
    5: ("workingDir", _TEXT),
    6: ("ports", [_PORT]),
    7: ("env", [{1: ("name", _TEXT), 2: ("value", _TEXT)}]),
    14: ("imagePullPolicy", _TEXT),
}
_TEMPLATE = {1: ("metadata", _METADATA), 2: ("spec", {2: ("containers", [_CONTAINER])})}
_SPEC = {
    1: ("replicas", _POINTER),
    2: ("selector", {1: ("matchLabels", _MAP)}),
    3: ("template", _TEMPLATE),
    4: ("strategy", {1: ("type", _TEXT)}),
    5: ("minReadySeconds", _NUMBER),
    6: ("revisionHistoryLimit", _POINTER),
    7: ("paused", _FLAG),
    9: ("progressDeadlineSeconds", _POINTER),
}
_DEPLOYMENT = {1: ("metadata", _METADATA), 2: ("spec", _SPEC), 3: ("status", _UNSAID)}


def deployment(body: bytes) -> Object:
    """Read a Deployment, wholly or not at all.

    Raises IndexError, KeyError, TypeError, ValueError; also where it says more than is known.
    """
    kind, content = enveloped(body)
    if kind != "Deployment":
        raise ValueError(kind)
    return {"apiVersion": "apps/v1", "kind": kind, **_object(content, _DEPLOYMENT)}


def enveloped(body: bytes) -> tuple[str, bytes]:
    """The kind of an object and its own message. Raises IndexError, KeyError, ValueError."""
    envelope = fields(body.removeprefix(_MAGIC))
    return fields(envelope[1])[2].decode(), envelope.get(2, b"")


def fields(message: bytes) -> Fields:
    """The last value of each field of bytes. Raises IndexError, ValueError."""
    return {number: value for number, value in _all(message) if isinstance(value, bytes)}


def _object(message: bytes, shape: Mapping[int, tuple[str, Any]]) -> Object:
    found: Object = {}
    for number, value in _all(message):
        name, kind = shape.get(number, ("", _UNSAID))
        # Go writes what is empty, too.
        if value and not name:
            raise ValueError(number)
        if isinstance(kind, list):
            found.setdefault(name, []).append(_value(value, kind[0]))
        elif kind == _MAP:
            found.setdefault(name, {}).update([_entry(_bytes(value))])
        elif (value or kind == _POINTER) and kind != _UNSAID:
            found[name] = _value(value, kind)
    return found


def _value(value: bytes | int, kind: Any) -> Any:
    if isinstance(kind, Mapping):
        return _object(_bytes(value), kind)
    if kind == _TEXT:
        return _bytes(value).decode()
    if isinstance(value, bytes):
        raise TypeError(kind)
    return bool(value) if kind == _FLAG else value


def _entry(message: bytes) -> tuple[str, str]:
    entry = fields(message)
    return entry[1].decode(), entry.get(2, b"").decode()


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise TypeError(value)
    return value


def _all(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, place = _varint(message, place)
        if tag & 7 == _LENGTH:
            if place + number > len(message):
                raise IndexError(number)
            yield tag >> 3, message[place : place + number]
            place += number
        elif tag & 7 == _VARINT:
            # A negative number is written with all its 64 bits.
            yield tag >> 3, number - (number >> 63 << 64)
        else:
            raise ValueError(tag)


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  # the last one
            return value, place
