"""Route templates of HTTP functions, matched as the Functions host (ASP.NET Core routing) does.

Source: https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

CONSTRAINTS = {
    "": "[^/]+",
    "alpha": "[A-Za-z]+",
    "guid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "int": "[+-]?[0-9]+",
}
PARAMETER = re.compile(r"\{(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
CATCH_ALL = re.compile(r"\{\*{1,2}(?P<name>\w+)\}")


class RouteError(ValueError):
    """A template with an element that the local host does not know."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """A template and how it matches. `precedence` sorts literal segments before parameters."""

    template: str
    pattern: re.Pattern[str]
    precedence: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters when the still percent-encoded path fits, else None."""
        match = self.pattern.fullmatch("/" + path.strip("/"))
        if match is None:
            return None
        return {name: _decode(value) for name, value in match.groupdict().items() if value}


def parse_route(template: str) -> Route:
    """Parse `compute/runs/{run_id:guid}`: `{name}`, `{name?}`, `{*name}`. Raises RouteError."""
    segments = [_segment(part) for part in template.strip("/").split("/") if part]
    return Route(
        template=template,
        pattern=re.compile("".join(pattern for pattern, _ in segments) or "/", re.IGNORECASE),
        precedence=tuple(rank for _, rank in segments),
    )


def _segment(part: str) -> tuple[str, int]:
    if "{" not in part:
        return "/" + re.escape(part), 0
    if match := CATCH_ALL.fullmatch(part):
        return f"(?:/(?P<{match['name']}>.*))?", 3
    match = PARAMETER.fullmatch(part)
    constraint = (match["constraint"] or "").lower() if match else None
    if match is None or constraint not in CONSTRAINTS:
        raise RouteError(f"route segment {part!r} is not supported by the local host")
    pattern = f"/(?P<{match['name']}>{CONSTRAINTS[constraint]})"
    return (f"(?:{pattern})?" if match["optional"] else pattern), 1 if constraint else 2


def _decode(value: str) -> str:
    # An encoded slash stays encoded, as in ASP.NET Core: it is no separator.
    return unquote(re.sub("%2f", "%252F", value, flags=re.IGNORECASE))
