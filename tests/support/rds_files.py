"""Files as R's saveRDS writes them, as far as anybody here reads them: a header, and some body."""

import base64
import gzip
import random
import struct

from shared.scoring.r_version import RVersion


def saved(*, reader: str = "3.5.0", writer: str = "4.3.1", version: int = 3) -> bytes:
    """Return a file that R `writer` wrote, which R from `reader` on can read."""
    head = struct.pack(">3i", version, _packed(writer), _packed(reader))
    body = random.Random(161).randbytes(20_000)  # noqa: S311  # no secret
    return gzip.compress(b"X\n" + head + struct.pack(">i", 5) + b"UTF-8" + body, mtime=0)


def in_base64(content: bytes) -> str:
    """Return it as a seed of the emulator holds it."""
    return base64.b64encode(content).decode()


def for_newer_r(file: bytes, *, reader: str) -> bytes:
    """Return a gzipped file of R's with another minimum reader in its header."""
    plain = gzip.decompress(file)
    return gzip.compress(plain[:10] + struct.pack(">i", _packed(reader)) + plain[14:], mtime=0)


def _packed(version: str) -> int:
    found = RVersion.parse(version)
    return found.major << 16 | found.minor << 8 | found.patch
