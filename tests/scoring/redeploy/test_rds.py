"""The header of R's files: who wrote it, who can read it."""

import bz2
import gzip
import lzma
import struct
import subprocess
from pathlib import Path

import pytest

from shared.scoring.r_version import RVersion
from shared.scoring.redeploy.rds import read_header
from tests.support.r_services import require_r

R_4_5_1 = 4 << 16 | 5 << 8 | 1
R_3_5_0 = 3 << 16 | 5 << 8
XDR = (
    b"X\n" + struct.pack(">3i", 3, R_4_5_1, R_3_5_0) + struct.pack(">i", 5) + b"UTF-8" + b"\0" * 99
)
ASCII = f"A\n3\n{R_4_5_1}\n{R_3_5_0}\n5\nUTF-8\n".encode()
NATIVE = b"B\n" + struct.pack("<3i", 3, R_4_5_1, R_3_5_0) + b"\0" * 99


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(XDR, id="plain"),
        pytest.param(ASCII, id="ascii"),
        pytest.param(NATIVE, id="native"),
        pytest.param(b"RDX3\n" + XDR, id="saved"),
        pytest.param(gzip.compress(XDR), id="gzip"),
        pytest.param(bz2.compress(XDR), id="bzip2"),
        pytest.param(lzma.compress(XDR), id="xz"),
        pytest.param(gzip.compress(XDR * 9999)[:4096], id="only the beginning"),
    ],
)
def test_the_header_tells_writer_and_oldest_reader_however_it_is_compressed(
    beginning: bytes,
) -> None:
    header = read_header(beginning)

    assert header.format == 3
    assert str(header.writer) == "4.5.1"
    assert str(header.reader) == "3.5.0"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"X\n",
        b"PK\x03\x04 a zip",
        b"\x1f\x8b broken",
        b"BZh broken",
        b"\xfd7zXZ\x00 broken",
        b"A\nx\ny\nz\n",
        b"X\n" + struct.pack(">3i", 9, R_4_5_1, R_3_5_0),
        pytest.param(gzip.compress(b"a csv, compressed"), id="another file, compressed"),
    ],
)
def test_what_is_no_file_of_r_is_refused(beginning: bytes) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        read_header(beginning)


def test_versions_compare_as_r_counts_them() -> None:
    assert RVersion.parse("4.10") > RVersion.parse("4.9.9")
    with pytest.raises(ValueError, match="no version of R"):
        RVersion.parse("four")


WRITE = """
x <- list(a = 1:3, b = "Zürich")
for (how in c("gzip", "bzip2", "xz")) saveRDS(x, paste0(how, ".rds"), compress = how)
saveRDS(x, "plain.rds", compress = FALSE)
saveRDS(x, "ascii.rds", ascii = TRUE)
saveRDS(x, "old.rds", version = 2)
save(x, file = "saved.rda")
cat(as.character(getRversion()))
"""


def test_what_real_r_writes_is_read(tmp_path: Path) -> None:
    require_r()
    done = subprocess.run(
        ["Rscript", "-e", WRITE],  # noqa: S607  # the R of this machine
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    headers = {path.name: read_header(path.read_bytes()[:4096]) for path in tmp_path.iterdir()}

    assert len(headers) == 7
    assert {str(each.writer) for each in headers.values()} == {done.stdout}
    assert {each.format for name, each in headers.items() if name != "old.rds"} == {3}
    assert (headers["old.rds"].format, str(headers["old.rds"].reader)) == (2, "2.3.0")
