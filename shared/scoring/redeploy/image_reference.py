"""References to images: `[registry/]name[:tag][@digest]`, as Docker, Kubernetes and Azure write them.

Source: github.com/distribution/reference, regexp.go and normalize.go. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"sha256:[0-9a-f]{64}"
_IMAGE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """The parts of a reference. `name` includes the registry; `tag`, `digest` are empty without one."""

    name: str
    tag: str = ""
    digest: str = ""

    @property
    def registry(self) -> str:
        """The host, with its port, that the name begins with; empty where it names none."""
        first, slash, _ = self.name.partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        return first if is_host else ""

    @property
    def repository(self) -> str:
        """The name within its registry."""
        return self.name.removeprefix(f"{self.registry}/")

    @property
    def tagged(self) -> str:
        """The reference by its tag alone."""
        return f"{self.name}:{self.tag}"

    def at(self, digest: str) -> str:
        """Return the reference pinned to a digest; the tag stays readable."""
        return f"{self.tagged if self.tag else self.name}@{digest}"


def parse_image(text: str) -> ImageReference | None:
    """Read a reference; None: it is none."""
    found = _IMAGE.fullmatch(text)
    if found is None:
        return None
    return ImageReference(name=found["name"], tag=found["tag"] or "", digest=found["digest"] or "")
