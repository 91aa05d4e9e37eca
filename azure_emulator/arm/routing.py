"""Finds the route of a Resource Manager path: case-insensitive, tolerant of `//`, by segments."""

from dataclasses import dataclass, field

from azure_emulator.arm.call import Handler


@dataclass(frozen=True, kw_only=True)
class ArmRoute:
    """A route and the Azure action it needs; `scope_length` segments of the path are the scope.

    A `filtered` list shows what the caller may see; it is refused to those without any grant.
    Only where it `takes_body` is the request's body read.
    """

    method: str
    template: tuple[str, ...]
    scope_length: int
    handler: Handler
    action: str
    filtered: bool = False
    takes_body: bool = False

    @property
    def names_a_resource(self) -> bool:
        """Whether the path ends with the name of something, not with a collection."""
        return self.template[-1].startswith("{")


def route(method: str, template: str, handler: Handler, *, action: str, **traits: bool) -> ArmRoute:
    """Make a route of a template like `/subscriptions/{subscription}|/resourcegroups`.

    `|` ends the scope of the authorization; without one the whole path is the scope.
    """
    scope, _, _ = template.partition("|")
    return ArmRoute(
        method=method,
        template=tuple(segments(template.replace("|", ""))),
        scope_length=len(segments(scope)),
        handler=handler,
        action=action,
        **traits,
    )


def segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, ArmRoute] = field(default_factory=dict)


class RoutingTable:
    """A tree of path segments: a literal wins over a `{name}`."""

    def __init__(self, routes: list[ArmRoute]) -> None:
        self._root = _Node()
        for entry in routes:
            self._add(entry)

    def find(self, method: str, path: list[str]) -> tuple[ArmRoute, dict[str, str]] | None:
        """The route with the names in the path as the caller spelt them, or None."""
        node = self._descend(self._root, [segment.lower() for segment in path])
        entry = node and node.routes.get("GET" if method == "HEAD" else method)
        if not entry:
            return None
        pairs = zip(entry.template, path, strict=True)
        return entry, {name[1:-1]: value for name, value in pairs if name.startswith("{")}

    def _add(self, entry: ArmRoute) -> None:
        node = self._root
        for segment in entry.template:
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        node.routes[entry.method] = entry

    def _descend(self, node: _Node, path: list[str]) -> _Node | None:
        if not path:
            return node
        for child in (node.literals.get(path[0]), node.parameter):
            found = child and self._descend(child, path[1:])
            if found and found.routes:
                return found
        return None
