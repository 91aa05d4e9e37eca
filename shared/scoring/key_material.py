"""Tell a key from the name of one: keys are pasted into files that must not hold them."""

from __future__ import annotations

import re

_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_HEX = re.compile(r"[0-9a-f]{32,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TURNS = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
# A random key of 20 letters and digits turns from one to the other six times on average; a name
# with a year or a number in it, twice.
_SHORTEST_KEY, _MANY_TURNS = 20, 4
# Parameters by which a key commonly travels in a URL. Others may well hold ids that look like one.
_KEY_PARAMETERS = re.compile(
    r"code|sig|token|password|secret|((api|access|subscription|function|functions)[-_]?)?(key|token)",
    re.IGNORECASE,
)
Query = dict[str, str | int | float | bool]


def check_query(query: Query) -> Query:
    """Return the parameters of a query. Raises ValueError, without repeating it, for a key in it."""
    for name, value in query.items():
        if _KEY_PARAMETERS.fullmatch(name) and _looks_like_a_key(str(value)):
            raise ValueError(
                f"parameter {name} looks like a key: put it into Key Vault and name it in "
                "`credential`, which sends it in a header"
            )
    return query


def check_secret_name(name: str) -> str:
    """Return the name of a Key Vault secret.

    Raises ValueError, without repeating it, for what cannot be a name or looks like the key.
    Names: learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates.
    """
    advice = "put the key into Key Vault and write the secret's name here"
    if not _NAME.fullmatch(name):
        raise ValueError(f"is not the name of a secret (letters, digits, hyphens): {advice}")
    if _looks_like_a_key(name):
        raise ValueError(f"looks like a key, not like the name of one: {advice}")
    return name


def _looks_like_a_key(text: str) -> bool:
    if _HEX.fullmatch(text):
        return True
    return any(
        len(part) >= _SHORTEST_KEY and len(_TURNS.findall(part)) >= _MANY_TURNS
        for part in text.split("-")
    )
