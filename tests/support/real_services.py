"""Real R services as the health checks see them: declared as in the example file, probed for real."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.clients.prober import NetworkProber
from shared.scoring.attempts import Examiner
from shared.scoring.catalogue import Catalogue, read_catalogue
from shared.scoring.examination import Subject
from shared.scoring.judgement import Judgement
from shared.scoring.presets import service_checks
from shared.scoring.service import Credential
from shared.scoring.state import Advanced, ServiceState, advance
from tests.support.fake_credentials import FakeCredentials
from tests.support.r_services import RServiceProcess
from tests.support.tcp_services import listening, read_head

EXAMPLE = Path(__file__).parents[2] / "docs" / "scoring-services.example.yaml"
WEIGHT, SVM = "plumber-weight", "rpy2-svm"
ROUNDS_APART = timedelta(minutes=5)


def declared(name: str, url: str, *, credential: Credential | None = None, **rules: Any) -> Subject:
    """A service of the example file, at another address; `rules` replace some of its checks."""
    catalogue = read_catalogue(EXAMPLE.read_text("utf-8"))
    assert isinstance(catalogue, Catalogue)
    found = next(each for each in catalogue.services if each.name == name)
    checks = found.checks.model_copy(update=rules)
    service = found.model_copy(update={"url": url, "checks": checks, "credential": credential})
    return Subject(service=service, rules=service_checks(service), url=url)


@dataclass(kw_only=True)
class Doctor:
    """Judges services in the real world, on a clock that may be moved, and takes in what it saw."""

    prober: NetworkProber
    credentials: FakeCredentials = field(default_factory=FakeCredentials)
    later: timedelta = timedelta()
    state: ServiceState = field(default_factory=ServiceState)

    async def judge(self, subject: Subject) -> Judgement:
        """Judge a service as it is now: one attempt, since tests know what they did to it."""
        examiner = Examiner(prober=self.prober, credentials=self.credentials, now=self._now)
        (judgement,) = await examiner.judge(subject, repeats=0)
        return judgement

    async def round(self, subject: Subject) -> Advanced:
        """Judge it, take that in, and move the clock on to the next round."""
        taken = advance(
            self.state, await self.judge(subject), thresholds=subject.service.thresholds
        )
        self.state = taken.state
        self.later += ROUNDS_APART
        return taken

    async def rounds(self, subject: Subject, number: int) -> Sequence[Advanced]:
        return [await self.round(subject) for _ in range(number)]

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.later


@asynccontextmanager
async def doctor() -> AsyncIterator[Doctor]:
    async with NetworkProber(now=lambda: datetime.now(UTC)) as prober:
        yield Doctor(prober=prober)


@asynccontextmanager
async def guarded(service: RServiceProcess, key: str) -> AsyncIterator[str]:
    """A front end that lets one key through to the service; yields its URL."""
    target = urlsplit(service.url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if f"authorization: Bearer {key}\r\n".encode() not in head:
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        behind, ahead = await asyncio.open_connection(target.hostname, target.port)
        with closing(ahead):
            ahead.write(head)
            while data := await behind.read(65_536):
                writer.write(data)
            await writer.drain()

    async with listening(serve) as url:
        yield url
