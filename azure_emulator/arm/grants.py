"""Who may do what at which scope: Azure's role-based access control, without the roles."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate

from azure_emulator.answers import AzureError
from azure_emulator.entra import Principal
from azure_emulator.estate.estate import Estate
from azure_emulator.seed import Grant


class Grants:
    """The grants of all principals, by object id. Forbidden workspaces deny everything inside."""

    def __init__(self, grants: Mapping[str, Iterable[Grant]], *, forbidden: Iterable[str]) -> None:
        self._grants = {
            object_id: [_Compiled(grant) for grant in granted]
            for object_id, granted in grants.items()
        }
        self._forbidden = tuple(f"{workspace_id.lower()}/" for workspace_id in forbidden)

    def allow(self, principal: Principal, *, action: str, scope: str) -> bool:
        below = f"{scope.lower().rstrip('/')}/"
        if self._forbidden and below.startswith(self._forbidden):
            return False
        granted = self._grants.get(principal.object_id, ())
        return any(grant.covers(action=action, scope=below) for grant in granted)

    def allow_data(self, principal: Principal, *, action: str, scope: str) -> bool:
        """Whether an action on the data at a scope is granted."""
        granted = self._grants.get(principal.object_id, ())
        below = f"{scope.lower().rstrip('/')}/"
        return any(grant.covers_data(action=action, scope=below) for grant in granted)

    def require(self, principal: Principal, *, action: str, scope: str) -> None:
        """Raise Azure's 403 AuthorizationFailed unless the action is granted."""
        if self.allow(principal, action=action, scope=scope):
            return
        raise AzureError(
            403,
            "AuthorizationFailed",
            f"The client '{principal.app_id}' with object id '{principal.object_id}' does not "
            f"have authorization to perform action '{action}' over scope '{scope}' or the scope "
            "is invalid. If access was recently granted, please refresh your credentials.",
        )

    def knows(self, principal: Principal) -> bool:
        return bool(self._grants.get(principal.object_id))

    def sees(self, principal: Principal, *, subscription_id: str) -> bool:
        """Whether anything is granted at, above or below a subscription."""
        scope = f"{subscription_id.lower()}/"
        return any(
            grant.scope.startswith(scope) or scope.startswith(grant.scope)
            for grant in self._grants.get(principal.object_id, ())
        )


class _Compiled:
    def __init__(self, grant: Grant) -> None:
        self.scope = f"{grant.scope.lower().rstrip('/')}/"
        self._actions = _patterns(grant.actions)
        self._data_actions = _patterns(grant.data_actions)

    def covers(self, *, action: str, scope: str) -> bool:
        return scope.startswith(self.scope) and any(a.match(action) for a in self._actions)

    def covers_data(self, *, action: str, scope: str) -> bool:
        return scope.startswith(self.scope) and any(a.match(action) for a in self._data_actions)


def _patterns(actions: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile(translate(action), re.IGNORECASE) for action in actions]


def forbidden_workspaces(estate: Estate) -> list[str]:
    return [workspace.id for workspace in estate.workspaces() if workspace.seed.forbidden]
