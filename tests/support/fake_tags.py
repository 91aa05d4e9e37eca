"""A registry in memory: passes the suite that the client of real ones passes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class FakeTags:
    """`digests` by reference; what is an error is raised. `asked`: references, in turn."""

    digests: dict[str, str | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def digest_of(self, image: str) -> str | None:
        self.asked.append(image)
        found = self.digests.get(image)
        if isinstance(found, Exception):
            raise found
        return found
