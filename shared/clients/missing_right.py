"""Tell which Azure action the service principal lacks, from a refusal of Resource Manager."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import AzureRequestError, MissingRightError

_REFUSED: Final = frozenset({"AuthorizationFailed", "LinkedAuthorizationFailed"})
# Words of LinkedAuthorizationFailed: the right to attach an identity, or to join a network.
_LINKED: Final = re.compile(r"not have permission to perform action(?:\(s\))? '([\w./,* -]+)'")


def told_as_right(error: AzureRequestError, *, action: str, on: str) -> AzureRequestError:
    """Return the error to raise for a refused request that needs `action` on a resource.

    Any other error is returned as it is: a policy or a firewall answers 403, too.
    """
    if error.code not in _REFUSED:
        return error
    linked = _LINKED.search(str(error))
    return MissingRightError(linked.group(1) if linked else action, on=on)
