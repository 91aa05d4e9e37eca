"""A route that only its own methods match.

Starlette answers other methods 405; here they must reach the answer for unknown routes, so that a
gap of the emulator is never taken for a refusal of Azure's.
"""

from starlette.routing import Match, Route
from starlette.types import Scope


class ExactRoute(Route):
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.NONE if match is Match.PARTIAL else match), child
