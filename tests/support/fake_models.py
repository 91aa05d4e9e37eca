"""Registered models and images without Azure, as the gate asks about them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.scoring.redeploy.model_looks import Beginning
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.service import Service


@dataclass
class FakeModelFiles:
    """Models by `name:version`, each with its files by path; `trouble` is raised instead."""

    models: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    trouble: Exception | None = None
    hangs: bool = False

    async def beginnings(
        self, service: Service, model: str, *, snapshot: Snapshot
    ) -> Sequence[Beginning] | None:
        del service, snapshot
        if self.trouble:
            raise self.trouble
        if self.hangs:
            await asyncio.Event().wait()
        files = self.models.get(model)
        if files is None:
            return None
        read = {name for name in files if name.lower().endswith((".rds", ".rda", ".rdata"))}
        return [Beginning(name=name, content=files[name][:4096]) for name in sorted(read)]


@dataclass
class FakeImageVersions:
    """Images that all have one R; `trouble` is raised instead."""

    says: str = ""
    trouble: Exception | None = None
    asked: int = 0

    async def r_version(self, service: Service, *, snapshot: Snapshot) -> str:
        del service, snapshot
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return self.says
