"""Read a file of services: either all of it is right, or every problem is told with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from shared.scoring.declared import Declared
from shared.scoring.document import Document, DocumentError, read_document
from shared.scoring.problem import Keys, Problem, path_text
from shared.scoring.service import Service

MAX_SERVICES: Final = 5000
# Of one file; the rest is counted.
MAX_PROBLEMS: Final = 100


class ServiceFile(Declared):
    """A file of services, version 1."""

    version: Literal[1] = Field(description="Version of this format: 1.")
    services: Annotated[tuple[Service, ...], Field(max_length=MAX_SERVICES)] = Field(
        description="The services."
    )


@dataclass(frozen=True, kw_only=True)
class CatalogueRejected:
    """A text that cannot come into force, with all that is wrong with it."""

    problems: Sequence[Problem]
    digest: str


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The services of a text. `digest` tells one text from another (SHA-256, hexadecimal)."""

    services: Sequence[Service]
    digest: str


def read_catalogue(text: str) -> Catalogue | CatalogueRejected:
    """Read a file of services (YAML, of which JSON is a part)."""
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    try:
        document = read_document(text)
    except DocumentError as error:
        return CatalogueRejected(problems=_first(error.problems), digest=digest)
    try:
        file = ServiceFile.model_validate(document.value)
    except ValidationError as error:
        problems = {*_problems(error, document), *_repeated_names(document)}
    else:
        problems = set(_repeated_names(document))
        if not problems:
            return Catalogue(services=file.services, digest=digest)
    return CatalogueRejected(problems=_first(sorted(problems)), digest=digest)


def _problems(error: ValidationError, document: Document) -> Iterator[Problem]:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    wrong = {tuple(each["loc"][:-2]) for each in errors}
    told: set[Keys] = set()
    for each in errors:
        # pydantic calls a list of one wrong item empty, too.
        if each["type"] == "too_short" and any(_begins(one, each["loc"]) for one in wrong):
            continue
        # A missing field has no place of its own: it is told where it belongs.
        name, message = _message(each)
        found, (line, column) = document.place(tuple(each["loc"]))
        keys = (*found, name) if name else found
        # A value that is neither of several types has a complaint for each of them.
        if keys not in told:
            yield Problem(path=path_text(keys), line=line, column=column, message=message)
        told.add(keys)


def _begins(keys: Keys, with_these: Keys) -> bool:
    return keys[: len(with_these)] == with_these


def _message(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of a field that is missing, if that is it, and what is wrong."""
    if error["type"] == "missing":
        return str(error["loc"][-1]), "is missing"
    if error["type"] == "extra_forbidden":
        return "", "is not a field of this format"
    if error["type"] in ("model_type", "dict_type"):
        return "", "should be a mapping"
    plain = str(error["msg"]).removeprefix("Value error, ")
    return "", f"{plain[:1].lower()}{plain[1:]}"


def _repeated_names(document: Document) -> Iterator[Problem]:
    """Tell names given twice, also in a file that is wrong elsewhere."""
    file = document.value
    services = file.get("services") if isinstance(file, dict) else None
    if not isinstance(services, list):
        return
    seen: dict[str, int] = {}
    for index, service in enumerate(services):
        name = service.get("name") if isinstance(service, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            keys: Keys = ("services", index, "name")
            _, (line, column) = document.place(keys)
            message = f"is the name of services[{seen[name]}], too"
            yield Problem(path=path_text(keys), line=line, column=column, message=message)
        seen.setdefault(name, index)


def _first(problems: Sequence[Problem]) -> Sequence[Problem]:
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return tuple(problems)
    return (*problems[:MAX_PROBLEMS], Problem(message=f"and {more} problems more"))
