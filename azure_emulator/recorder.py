"""The request log: every call to an Azure route, in order of arrival."""

import re
from dataclasses import dataclass
from typing import Any

from azure_emulator.clock import Clock, zulu

# Parameters that grant something by themselves: signatures, codes, keys.
_SECRET = re.compile(
    r"(?i)(^|&)(t|c|s|h|sig|signature|code|token|access_token|client_secret|key)=[^&]*"
)


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One request. `status` is None until it was answered, and stays so if it never was."""

    seq: int
    at: float
    method: str
    path: str
    query: str
    status: int | None = None
    principal: str | None = None
    subscription: str | None = None
    action: str | None = None
    bucket: str | None = None
    throttled: bool = False
    fault: str | None = None

    def document(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "at": zulu(self.at),
            "method": self.method,
            "path": self.path,
            "query": redacted(self.query),
            "status": self.status,
            "principal": self.principal,
            "subscription": self.subscription,
            "action": self.action,
            "bucket": self.bucket,
            "throttled": self.throttled,
            "fault": self.fault,
        }


# Enough for many nights of the largest fleet; the oldest go first.
MAX_RECORDS = 500_000


class Recorder:
    """Records since the last reset; sequence numbers go on over a reset."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: list[Record] = []
        self._seq = 0

    def open(self, *, method: str, path: str, query: str) -> Record:
        self._seq += 1
        record = Record(seq=self._seq, at=self._clock.now(), method=method, path=path, query=query)
        self._records.append(record)
        if len(self._records) > MAX_RECORDS:
            del self._records[: MAX_RECORDS // 10]
        return record

    def after(self, seq: int) -> list[Record]:
        """Records with a higher sequence number than `seq`, oldest first."""
        first = self._records[0].seq if self._records else 0
        return self._records[max(0, seq + 1 - first) :]

    def clear(self) -> None:
        self._records = []


def redacted(query: str) -> str:
    """A query string without the values of parameters that grant something."""
    return _SECRET.sub(r"\1\2=REDACTED", query)
