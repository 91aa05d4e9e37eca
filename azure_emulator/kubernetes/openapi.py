"""The API's description in protobuf, as kubectl reads it: that Deployments take dry runs.

It has no schemas, of which kubectl then checks none. Source: openapi_v2.proto of google/gnostic-models
(the numbers of the fields) and kubectl 1.20, pkg/util/openapi/dryrun.go (what is looked for).
"""

from functools import cache

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_PATH = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
_KIND = "group: apps\nkind: Deployment\nversion: v1\n"
_PARAMETERS = ("dryRun", "fieldValidation", "fieldManager")


@cache
def document() -> bytes:
    """The whole document: one path, with the parameters of its patch."""
    parameters = b"".join(_nested(name, _OPERATION_PARAMETERS, 1, 2, 3, 4) for name in _PARAMETERS)
    kind = _field(1, b"x-kubernetes-group-version-kind") + _nested(_KIND, 2, 2)
    operation = parameters + _field(_OPERATION_EXTENSION, kind)
    path = _field(1, _PATH.encode()) + _field(2, _field(_PATH_ITEM_PATCH, operation))
    return _field(1, b"2.0") + _field(_DOCUMENT_PATHS, _field(2, path))


_DOCUMENT_PATHS = 8
_PATH_ITEM_PATCH = 8
_OPERATION_PARAMETERS = 8
_OPERATION_EXTENSION = 13


def _nested(text: str, *numbers: int) -> bytes:
    """A text in messages within messages, the outermost number first."""
    content = text.encode()
    for number in reversed(numbers):
        content = _field(number, content)
    return content


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes: its number and wire type 2, its length, itself."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
