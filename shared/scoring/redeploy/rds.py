"""The header of a file written by R's saveRDS or save: which R wrote it, and which can read it. Pure.

Source: R Internals 1.8, "Serialization Formats" (cran.r-project.org/doc/manuals/r-release/
R-ints.html), and ?saveRDS for the ways of compression. The object itself is never read.
"""

from __future__ import annotations

import bz2
import lzma
import re
import struct
import zlib
from dataclasses import dataclass

from shared.scoring.r_version import RVersion

# save() writes this line before the same header; saveRDS() does not.
_SAVE_LINE = re.compile(rb"RD[XAB][23]\n")
_HEADER_BYTES = 64
_ASCII_INTEGERS = re.compile(rb"A\n(\d+)\n(\d+)\n(\d+)\n")
_BYTE_ORDERS = {b"X\n": ">3i", b"B\n": "<3i"}
_FORMATS = (2, 3)
# github.com/git-lfs/git-lfs, docs/spec.md
_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, kw_only=True)
class RdsHeader:
    """`format` is the serialization version; `reader` the oldest R that can read the file."""

    format: int
    writer: RVersion
    reader: RVersion


def read_header(beginning: bytes) -> RdsHeader:
    """Read the header from the first bytes of a file, compressed or not; 4 KiB are plenty.

    Raises ValueError for what is no such file.
    """
    if beginning.startswith(_LFS):
        raise ValueError("is a pointer of Git LFS, not the file itself")
    plain = _decompressed(beginning)
    line = _SAVE_LINE.match(plain)
    version, writer, reader = _integers(plain[line.end() :] if line else plain)
    if version not in _FORMATS:
        raise ValueError(f"is written in format {version}, which is not known")
    return RdsHeader(format=version, writer=_version(writer), reader=_version(reader))


def _decompressed(beginning: bytes) -> bytes:
    try:
        if beginning.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(beginning, _HEADER_BYTES)
        if beginning.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(beginning, _HEADER_BYTES)
        if beginning.startswith(b"\xfd7zXZ\x00"):
            return lzma.LZMADecompressor().decompress(beginning, _HEADER_BYTES)
    except (zlib.error, OSError, lzma.LZMAError):
        raise ValueError("is compressed, but broken") from None
    return beginning[:_HEADER_BYTES]


def _integers(plain: bytes) -> tuple[int, int, int]:
    order = _BYTE_ORDERS.get(plain[:2])
    if order and len(plain) >= 2 + struct.calcsize(order):
        version, writer, reader = struct.unpack_from(order, plain, 2)
        return version, writer, reader
    found = _ASCII_INTEGERS.match(plain)
    if found is None:
        raise ValueError("is no file of R's saveRDS")
    version, writer, reader = map(int, found.groups())
    return version, writer, reader


def _version(packed: int) -> RVersion:
    return RVersion(packed >> 16 & 0xFF, packed >> 8 & 0xFF, packed & 0xFF)
