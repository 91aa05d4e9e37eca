"""Access keys as the Functions host knows them: one host-wide function key and the master key.

Source: https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

FUNCTION_KEY_SETTING = "LOCAL_HOST_FUNCTION_KEY"
MASTER_KEY_SETTING = "LOCAL_HOST_MASTER_KEY"


class AuthLevel(IntEnum):
    """What a request is entitled to; a higher level includes the lower ones."""

    ANONYMOUS = 0
    FUNCTION = 1
    ADMIN = 2


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The two keys. Their values stay out of the repr, so that no log can show them."""

    function: str = field(repr=False)
    master: str = field(repr=False)

    def level_of(self, *, headers: Mapping[str, str], query: Mapping[str, str]) -> AuthLevel:
        """Return the level that a request's key grants; the header wins over `?code=`."""
        presented = headers.get("x-functions-key", query.get("code", "")).encode()
        if hmac.compare_digest(presented, self.master.encode()):
            return AuthLevel.ADMIN
        if hmac.compare_digest(presented, self.function.encode()):
            return AuthLevel.FUNCTION
        return AuthLevel.ANONYMOUS


def take_keys(settings: Mapping[str, str]) -> tuple[Keys, dict[str, str]]:
    """Return the keys, and by setting name those that had to be generated."""
    names = (FUNCTION_KEY_SETTING, MASTER_KEY_SETTING)
    generated = {name: secrets.token_urlsafe(32) for name in names if not settings.get(name)}
    values = {**settings, **generated}
    keys = Keys(function=values[FUNCTION_KEY_SETTING], master=values[MASTER_KEY_SETTING])
    return keys, generated
