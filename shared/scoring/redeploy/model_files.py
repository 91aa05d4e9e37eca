"""Whether the files of a named model suit the R that is to read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.scoring.r_version import RVersion
from shared.scoring.redeploy.rds import RdsHeader
from shared.scoring.redeploy.record import Ground, Refusal


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file that R is to read, `name` within its model: its header, or what is wrong with it.

    `unread`: why neither is known.
    """

    name: str
    header: RdsHeader | None = None
    problem: str = ""
    unread: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelLook:
    """What was seen of a model and of the R that is to read it; nothing where none is named.

    `missing`: it is not registered. `unread`: why its files were not looked at. `r_version`: None
    where it is not known, for the reason `r_unread`, if there is one.
    """

    missing: str = ""
    files: tuple[ModelFile, ...] = ()
    unread: str = ""
    r_version: RVersion | None = None
    r_unread: str = ""


def unsuited(look: ModelLook) -> Iterator[Refusal]:
    """Return on what grounds a model is refused. What nobody could look at is no ground."""
    if look.missing:
        yield Refusal(ground=Ground.MODEL_NOT_FOUND, text=look.missing)
    for file in look.files:
        if file.problem:
            yield _refusal(f"the model's file {file.name} {file.problem}")
    newest = _newest(look)
    if newest and newest.header and look.r_version and look.r_version < newest.header.reader:
        yield _refusal(
            f"the model's file {newest.name} needs R {newest.header.reader} or later; "
            f"the image has R {look.r_version}"
        )


def told(look: ModelLook) -> Iterator[str]:
    """Tell what was seen, and what was not and why, for whoever reads how it was let in."""
    if look.unread:
        yield f"the model's files were not looked at: {look.unread}"
    yield from (
        f"{each.name} was not looked at: {each.unread}" for each in look.files if each.unread
    )
    newest = _newest(look)
    if newest is None or newest.header is None:
        return
    header = newest.header
    written = f"{newest.name} (format {header.format}, written by R {header.writer})"
    if look.r_version:
        yield f"{written} can be read from R {header.reader} on; the image has R {look.r_version}"
        return
    because = f": {look.r_unread}" if look.r_unread else ""
    yield f"{written} needs R {header.reader}; the image's R is not known{because}"


def _newest(look: ModelLook) -> ModelFile | None:
    """Return the file that needs the latest R: the image must have that."""
    readable = [each for each in look.files if each.header]
    return max(readable, key=_reader, default=None)


def _reader(file: ModelFile) -> RVersion:
    return file.header.reader if file.header else RVersion(0, 0, 0)


def _refusal(text: str) -> Refusal:
    return Refusal(ground=Ground.MODEL_UNSUITED, text=text)
