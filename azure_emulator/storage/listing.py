"""List Blobs: the blobs below a prefix, with a delimiter also the folders, page by page, as XML.

Source: learn.microsoft.com/rest/api/storageservices/list-blobs.
"""

import hashlib
from collections.abc import Mapping
from email.utils import formatdate
from xml.sax.saxutils import escape, quoteattr

from azure_emulator.storage.ranges import CONTENT_TYPE

_MAX_RESULTS = 5000


def wire(blobs: Mapping[str, bytes], query: Mapping[str, str], *, container: str) -> bytes:
    """Return the page that a query asks for; the marker is the first name of the next one."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    asked = query.get("maxresults", "")
    size = min(int(asked), _MAX_RESULTS) if asked.isdecimal() and int(asked) else _MAX_RESULTS
    found = sorted({_entry(name, prefix, delimiter) for name in blobs if name.startswith(prefix)})
    left = [name for name in found if name >= query.get("marker", "")]
    page, rest = left[:size], left[size:]
    entries = "".join(_blob(name, blobs[name]) if name in blobs else _folder(name) for name in page)
    return (
        '﻿<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults ContainerName={quoteattr(container)}>"
        f"<Prefix>{escape(prefix)}</Prefix><Blobs>{entries}</Blobs>"
        f"<NextMarker>{escape(rest[0] if rest else '')}</NextMarker></EnumerationResults>"
    ).encode()


def _entry(name: str, prefix: str, delimiter: str) -> str:
    """The name itself, or the folder that it is in below the prefix."""
    below, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
    return f"{prefix}{below}{found}" if found else name


def _folder(name: str) -> str:
    return f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>"


def _blob(name: str, content: bytes) -> str:
    etag = hashlib.sha256(content).hexdigest()[:16].upper()
    modified = formatdate(0, usegmt=True)
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties>"
        f"<Creation-Time>{modified}</Creation-Time><Last-Modified>{modified}</Last-Modified>"
        f"<Etag>0x{etag}</Etag><Content-Length>{len(content)}</Content-Length>"
        f"<Content-Type>{CONTENT_TYPE}</Content-Type><BlobType>BlockBlob</BlobType>"
        "<AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus>"
        "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
        "</Properties><OrMetadata /></Blob>"
    )
