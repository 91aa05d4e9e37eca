"""Join the services of the file with those found in Azure: who is examined, where. Pure.

The file wins: a service that it names, by resource id, by name or by address, is examined as the
file says. What nobody declared has no known answer, so all that can be said of it is that somebody
answers there.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from shared.scoring.address import check_base_url
from shared.scoring.azure import FoundService
from shared.scoring.discovery import Estate
from shared.scoring.examination import Subject
from shared.scoring.presets import ANYBODY, service_checks
from shared.scoring.service import Checks, Service

# On an endpoint or web service that is not to be checked unless the file says so.
OPT_OUT_TAG: Final = "health"
OPT_OUT_VALUE: Final = "off"
OWNER_TAG: Final = "owner"
# Azure's words for what has no address yet, or soon none.
ON_THE_WAY: Final = frozenset({"creating", "deleting", "transitioning"})
_MAX_NAME: Final = 63
_MAX_OWNER: Final = 200


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """A service found in Azure that is not examined as such, and why."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Who is examined; names are unique."""

    subjects: Sequence[Subject]
    passed_over: Sequence[PassedOver] = ()


def join(declared: Sequence[Service], estate: Estate) -> Joined:
    """Return the file's services with their addresses, then what else was found."""
    by_id = {each.key: each for each in estate.found}
    listed = [by_id.get((each.resource_id or "").lower()) for each in declared]
    subjects = [
        _with_word(_declared(each, found, estate), found, estate)
        for each, found in zip(declared, listed, strict=True)
    ]
    in_file = _InFile.of(subjects)
    reasons = {each.key: _reason(each, in_file) for each in estate.found}
    rest = [each for each in estate.found if not reasons[each.key]]
    names = _names(rest, taken=in_file.names)
    for each in rest:
        found = _discovered(each, names[each.key])
        if isinstance(found, Subject):
            subjects.append(_with_word(found, each, estate))
        else:
            reasons[each.key] = found
    return Joined(
        subjects=tuple(subjects),
        passed_over=tuple(
            PassedOver(id=each.id, reason=reasons[each.key])
            for each in estate.found
            if reasons[each.key]
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _InFile:
    """What the file names, each with the name that it gives."""

    ids: Mapping[str, str]
    urls: Mapping[str, str]
    names: frozenset[str]

    @classmethod
    def of(cls, subjects: Sequence[Subject]) -> _InFile:
        services = [each.service for each in subjects]
        return cls(
            ids={each.resource_id.lower(): each.name for each in services if each.resource_id},
            urls={each.url: each.service.name for each in subjects if each.url},
            names=frozenset(each.name for each in services),
        )

    def name_of(self, found: FoundService) -> str:
        """Return what the file calls a service, empty if it does not know it."""
        names = [each for each in (found.name.lower(), _plain_name(found)) if each in self.names]
        try:
            by_url = self.urls.get(base_url(found), "")
        except ValueError:
            by_url = ""
        return self.ids.get(found.key) or by_url or (names[0] if names else "")


def base_url(found: FoundService) -> str:
    """Return what the paths of checks lie below: the scoring URI without its last part.

    Raises ValueError where Azure gives no address, or one that is none.
    """
    if not found.scoring_uri:
        raise ValueError(f"Azure gives it no address; its state is {found.state or 'not told'}")
    head = found.scoring_uri.rpartition("/")[0]
    try:
        # Of `https://host` the last part is the host itself.
        return check_base_url(found.scoring_uri if head.endswith("/") else head)
    except ValueError as error:
        raise ValueError(f"the address that Azure gives {error}") from None


def _declared(service: Service, found: FoundService | None, estate: Estate) -> Subject:
    if service.url is not None:
        return _subject(service, service.url)
    try:
        url = base_url(found) if found else ""
    except ValueError as error:
        return _subject(service, "", problem=str(error))
    if not url:
        return _not_found(service, estate)
    return _subject(service.model_copy(update={"url": url}), url)


def _not_found(service: Service, estate: Estate) -> Subject:
    for each in estate.unread:
        if each.covers(service.kind, service.resource_id or ""):
            problem = f"its address is not known: {each.problem}"
            return _subject(service, "", problem=problem, unavailable=True)
    asked = "no list that SCORING_DISCOVERY lets Azure be asked for has its resource_id"
    return _subject(service, "", problem=f"its address is not known: {asked}")


def _subject(
    service: Service, url: str, *, problem: str = "", unavailable: bool = False
) -> Subject:
    rules = service_checks(service)
    return Subject(service=service, rules=rules, url=url, problem=problem, unavailable=unavailable)


def _with_word(subject: Subject, found: FoundService | None, estate: Estate) -> Subject:
    return replace(subject, azure=estate.word_of(found) if found else None)


def _reason(found: FoundService, in_file: _InFile) -> str:
    """Say why a service found in Azure is not examined as such, empty if it is."""
    name = in_file.name_of(found)
    if name:
        return f"the file declares it as {name}"
    tags = {key.strip().lower(): value.strip().lower() for key, value in found.tags.items()}
    if tags.get(OPT_OUT_TAG) == OPT_OUT_VALUE:
        return f"its tag {OPT_OUT_TAG} is {OPT_OUT_VALUE}"
    if not found.scoring_uri and found.state.lower() in ON_THE_WAY:
        return f"it has no address: {found.state}"
    return ""


def _discovered(found: FoundService, name: str) -> Subject | str:
    """Return a subject of which only liveness can be told, or why it is none.

    No key: nothing that is asked needs one, and to fetch it could fail where the service is well.
    """
    try:
        url, problem = base_url(found), ""
    except ValueError as error:
        url, problem = "", str(error)
    owner = {key.lower(): value for key, value in found.tags.items()}.get(OWNER_TAG, "").strip()
    try:
        service = Service(
            name=name,
            group=_slug(found.workspace_id.rpartition("/")[2]),
            owner=owner[:_MAX_OWNER] or None,
            kind=found.kind,
            url=url or None,
            resource_id=found.id,
            checks=Checks(live=ANYBODY),
        )
    except ValidationError:
        return "what Azure says of it is not what its documentation says"
    return _subject(service, url, problem=problem)


def _names(found: Iterable[FoundService], *, taken: Collection[str]) -> dict[str, str]:
    """Return a name for each, by key: the same whoever else is there, as far as that can be.

    Its history goes by its name. Service and workspace make it; where these repeat, its id, too.
    """
    plain = {each.key: _plain_name(each) for each in found}
    counts = Counter([*plain.values(), *taken])
    return {
        key: name if counts[name] == 1 else _with_mark(name, key) for key, name in plain.items()
    }


def _plain_name(found: FoundService) -> str:
    workspace = found.workspace_id.rpartition("/")[2]
    whole = _slug(f"{found.name}-{workspace}", longest=1000)
    return whole if len(whole) <= _MAX_NAME else _with_mark(whole, found.key)


def _with_mark(name: str, key: str) -> str:
    mark = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{name[: _MAX_NAME - 9].rstrip('-')}-{mark}"


def _slug(text: str, *, longest: int = _MAX_NAME) -> str:
    """Return letters, digits and single hyphens, never nothing."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:longest].rstrip("-") or "unnamed"
