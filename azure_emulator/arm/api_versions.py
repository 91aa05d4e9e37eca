"""Which api-versions Resource Manager takes: none refuses what a client may know and we do not.

A version is refused where it is no date, older than its namespace, or of the year after next. Words:
Azure/azure-sdk-for-js#4097 (providers), ansible-collections/azure#1739 (Resource Manager itself).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from azure_emulator.answers import AzureError

_FORM = re.compile(r"^(\d{4}-\d{2}-\d{2})(-[a-zA-Z]+)?$")
_SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "microsoft.machinelearningservices": (
        "2018-03-01-preview",
        "2018-11-19",
        "2022-05-01",
        "2023-10-01",
        "2024-10-01",
        "2025-12-01",
    ),
    "microsoft.containerinstance": ("2017-08-01-preview", "2018-10-01", "2023-05-01", "2025-09-01"),
    "microsoft.containerservice": ("2017-08-31", "2020-03-01", "2024-10-01", "2026-08-01"),
}
_OWN = ("2014-04-01-preview", "2016-06-01", "2019-10-01", "2021-04-01", "2022-12-01")
LOCATIONS = ("westeurope", "northeurope", "eastus", "eastus2", "uksouth")


def require(query: Mapping[str, str], path: Sequence[str]) -> None:
    """Raise AzureError 400 for a missing version, or one that nobody can know.

    The names of `query` are in lower case; `path` are the segments.
    """
    version = query.get("api-version")
    if not version:
        raise AzureError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    namespace, kind = _kind(path)
    known = _SUPPORTED.get(namespace.lower(), _OWN)
    day = _day(version)
    if day and known[0][:10] <= day and int(day[:4]) <= _latest_year():
        return
    if day is None or known is _OWN:
        raise AzureError(400, "InvalidApiVersionParameter", _invalid(version, known))
    raise AzureError(400, "NoRegisteredProviderFound", _unregistered(version, kind, known))


def is_before_2021(query: Mapping[str, str]) -> bool:
    """Whether the caller was promised the answers of 2020-08-01 or older."""
    return query["api-version"] < "2021"


def supported(namespace: str) -> tuple[str, ...] | None:
    """The versions that a namespace names, newest first; None for one that is not emulated."""
    known = _SUPPORTED.get(namespace.lower())
    return known and tuple(reversed(known))


def _day(version: str) -> str | None:
    found = _FORM.match(version)
    try:
        return found and date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None


def _latest_year() -> int:
    # Also where the clock is behind: what is known must not be refused.
    newest = max(versions[-1] for versions in _SUPPORTED.values())
    return max(datetime.now(UTC).year, int(newest[:4])) + 1


def _kind(path: Sequence[str]) -> tuple[str, str]:
    """The namespace and the type in a path; empty where the path names no provider."""
    places = [place for place, name in enumerate(path) if name.lower() == "providers"]
    if not places:
        return "", ""
    namespace, *rest = [*path[places[-1] + 1 :], ""]
    return namespace, "/".join(name for name in rest[::2] if name)


def _invalid(version: str, known: Sequence[str]) -> str:
    listed = ",".join(reversed(known))
    return f"The api-version '{version}' is invalid. The supported versions are '{listed}'."


def _unregistered(version: str, kind: str, known: Sequence[str]) -> str:
    return (
        f"No registered resource provider found for location '{LOCATIONS[0]}' and API version "
        f"'{version}' for type '{kind}'. The supported api-versions are '{', '.join(known)}'. "
        f"The supported locations are '{', '.join(LOCATIONS)}'."
    )
