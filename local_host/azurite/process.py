"""Run Azurite as a process of our own, on free ports, until the block is left."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from re import findall

from local_host.child_process import end
from local_host.node import CACHE, find_node

SCRIPT = CACHE / "azurite/node_modules/azurite/dist/src/azurite.js"
START_SECONDS = 30.0
_LOOK_EVERY = 0.05
LISTENING = r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)"
SERVICES = 3
ACCOUNT = "devstoreaccount1"
# Published by Microsoft, the same in every Azurite; a secret of nothing.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
# The SDKs send newer API versions than Azurite knows; it reports to Microsoft unless told not to.
OPTIONS = (
    *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
    *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
)


class AzuriteError(Exception):
    """Azurite is not installed or did not start; says what to do, or what its log says."""


@dataclass(frozen=True, kw_only=True)
class Azurite:
    """A running Azurite. The endpoints are URLs with the account's name."""

    pid: int
    blob_endpoint: str
    queue_endpoint: str
    table_endpoint: str
    connection_string: str = field(repr=False)


@contextmanager
def running(*, location: Path | None = None) -> Iterator[Azurite]:
    """Run Azurite on free ports of 127.0.0.1, in memory or with its data in `location`.

    Raises AzuriteError.
    """
    with tempfile.TemporaryDirectory(prefix="azurite-") as folder:
        log = Path(folder) / "azurite.log"
        process = _start(log, location)
        try:
            yield _when_ready(process, log)
        finally:
            end(process)


def _start(log: Path, location: Path | None) -> subprocess.Popen[bytes]:
    node = find_node()
    if node is None or not SCRIPT.is_file():
        raise AzuriteError("Azurite is not installed in this checkout: run `make setup`")
    kept = ("--location", str(location.resolve())) if location else ("--inMemoryPersistence",)
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # what `make setup` installed
            (*node.node, str(SCRIPT), *OPTIONS, *kept),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _when_ready(process: subprocess.Popen[bytes], log: Path) -> Azurite:
    deadline = time.monotonic() + START_SECONDS
    while len(urls := dict(findall(LISTENING, said := log.read_text("utf-8")))) < SERVICES:
        if process.poll() is not None or time.monotonic() > deadline:
            raise AzuriteError(f"Azurite did not start: {' / '.join(said.splitlines()[-3:])}")
        time.sleep(_LOOK_EVERY)
    endpoints = {name: f"{url}/{ACCOUNT}" for name, url in urls.items()}
    return Azurite(
        pid=process.pid,
        blob_endpoint=endpoints["Blob"],
        queue_endpoint=endpoints["Queue"],
        table_endpoint=endpoints["Table"],
        connection_string=_connection_string(endpoints),
    )


def _connection_string(endpoints: dict[str, str]) -> str:
    parts = {"DefaultEndpointsProtocol": "http", "AccountName": ACCOUNT, "AccountKey": ACCOUNT_KEY}
    parts |= {f"{name}Endpoint": url for name, url in endpoints.items()}
    return "".join(f"{name}={value};" for name, value in parts.items())
