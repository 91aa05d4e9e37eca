"""Versions of R, and how a platform team declares the one in a service's image."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field

_VERSION: Final = r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?"


class RVersion(NamedTuple):
    """A version of R; newer ones are larger."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> RVersion:
        """Read `4.5.1` or `4.5`. Raises ValueError."""
        found = re.fullmatch(_VERSION, text.strip(), re.ASCII)
        if found is None:
            raise ValueError("is no version of R such as 4.5.1")
        major, minor, patch = found.groups(default="0")
        return cls(int(major), int(minor), int(patch))


def _checked(text: str) -> str:
    RVersion.parse(text)
    return text.strip()


DeclaredRVersion = Annotated[
    Annotated[
        str,
        AfterValidator(_checked),
        Field(json_schema_extra={"pattern": r"^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?$"}),
    ]
    | None,
    Field(
        description="Version of R in its image, such as `4.3.1` (in quotes), if the image does not "
        "tell: a redeploy to a model that needs a later one is refused. See docs/redeploys.md."
    ),
]
