"""How the values of settings are parsed and checked. Messages never repeat a value."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from shared.clouds import ENDPOINTS
from shared.compute.schedule import parse_schedule
from shared.scoring.service import KNOWN_TO_AZURE, Kind


class Bucket(BaseModel):
    """Size of one ARM token bucket: `capacity` requests at once, then `per_second`."""

    model_config = ConfigDict(frozen=True)

    capacity: Annotated[float, Field(ge=1)]
    per_second: Annotated[float, Field(gt=0)]


def check_https(value: str) -> str:
    wanted = "must be an https:// URL of a host, without user and query"
    try:
        parts = urlsplit(value)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme != "https" or not whole or "@" in value or parts.query or parts.fragment:
        raise ValueError(wanted)
    return value.rstrip("/")


_BUCKETS = re.compile(r"(reads|writes|deletes)=(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")


def parse_buckets(value: object) -> object:
    """Parse `reads=250:25,writes=200:10`."""
    if not isinstance(value, str):
        return value
    parsed = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        found = _BUCKETS.fullmatch(part)
        if not found:
            raise ValueError("must look like reads=250:25,writes=200:10,deletes=200:10")
        capacity, per_second = float(found[2]), float(found[3])
        if capacity < 1 or per_second <= 0:
            raise ValueError("needs buckets of 1 or more, and rates above 0")
        parsed[found[1]] = Bucket(capacity=capacity, per_second=per_second)
    return parsed


def parse_kinds(value: object) -> object:
    """Parse `aml-online,aml-v1`, or `none`."""
    if not isinstance(value, str):
        return value
    named = {part.strip().lower() for part in value.split(",")} - {"", "none"}
    if named - KNOWN_TO_AZURE:
        raise ValueError("must name aml-online, aml-v1, both with a comma, or none")
    return frozenset(map(Kind, named))


def check_schedule(value: str) -> str:
    """Check a schedule here; it is parsed again, from a cache, where it is used."""
    parse_schedule(value)
    return value


_BLOB = re.compile(
    r"https://[a-z0-9]{3,24}\.blob\.[a-z0-9.]+/[^/?#@\s]+/[^?#@\s]+"
    r"|http://(127\.0\.0\.1|localhost)(:\d+)?/[^/?#@\s]+/[^/?#@\s]+/[^?#@\s]+"
)
_SUFFIXES = tuple(f".blob.{each.storage_suffix}" for each in ENDPOINTS.values())


def check_service_file(value: str) -> str:
    """Check a path in the app, or the URL of a blob: a token of the app's identity goes there."""
    if "://" in value:
        return _blob(value)
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or "?" in value:
        raise ValueError("must be a path relative to the app, without .., or the URL of a blob")
    return value


def _blob(value: str) -> str:
    if "?" in value:
        raise ValueError(
            "must be a blob's URL without a signature (SAS): the app's managed identity reads it, "
            "with the role Storage Blob Data Reader"
        )
    wanted = "must look like https://<account>.blob.core.windows.net/<container>/<name>"
    if not _BLOB.fullmatch(value):
        raise ValueError(wanted)
    host = urlsplit(value).hostname or ""
    if value.startswith("https:") and not host.endswith(_SUFFIXES):
        raise ValueError(wanted)
    return value
