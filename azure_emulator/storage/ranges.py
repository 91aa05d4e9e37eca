"""A part of a blob, as its range says.

Source: learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations.
"""

import re
from collections.abc import Mapping

from starlette.responses import Response

from azure_emulator.storage.errors import StorageError

CONTENT_TYPE = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def answer(content: bytes, asked: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    """The whole, or the range of `x-ms-range`, else of `Range`. Raises StorageError 416."""
    wanted = asked.get("x-ms-range") or asked.get("range") or ""
    found = _RANGE.fullmatch(wanted.strip())
    if found is None:
        return Response(content, headers=headers, media_type=CONTENT_TYPE)
    first = int(found[1])
    if first >= len(content):
        raise StorageError("InvalidRange", headers={"Content-Range": f"bytes */{len(content)}"})
    last = min(int(found[2] or len(content)), len(content) - 1)
    told = {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
    part = content[first : last + 1]
    return Response(part, status_code=206, headers=told, media_type=CONTENT_TYPE)
