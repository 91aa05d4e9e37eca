"""What a scoring service does in a test, said once for the fake and for servers on real sockets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.scoring.probe import Contact


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """`contact` other than ANSWERED is how far the probe comes; `seconds` until it answers."""

    contact: Contact = Contact.ANSWERED
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    certificate_ends: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as a service sees it; `at` on the clock of the loop. Header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(compare=False)


Behaviour = Callable[[Asked], Scripted]


def always(**scripted: object) -> Behaviour:
    """A service that does the same for every request."""
    script = Scripted(**scripted)  # type: ignore[arg-type]  # the fields of Scripted
    return lambda _: script
