"""What a benchmark hands back: a table, and the bounds that were missed."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`missed` has a sentence for each bound that was missed; `notes` say how to read the table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    missed: Sequence[str] = field(default_factory=tuple)
