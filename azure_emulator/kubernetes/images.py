"""Registries: tags that lead to digests, and may be moved; digests that always mean the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from azure_emulator.kubernetes_seed import ImageSeed


@dataclass(frozen=True, kw_only=True)
class Image:
    """What was pulled. `image_id` is how a node calls it: `<repository>@<digest>`."""

    image_id: str
    seed: ImageSeed


class Images:
    """All images that can be pulled."""

    def __init__(self, tags: Mapping[str, ImageSeed]) -> None:
        self._tags: dict[str, str] = {}
        self._contents: dict[str, ImageSeed] = {}
        for reference, seed in tags.items():
            self.push(reference, seed)

    def push(self, reference: str, seed: ImageSeed) -> str:
        """Let a tag lead to this content, and return its digest; the old content stays."""
        content = f"{reference} {seed.model_dump_json()}"
        digest = seed.digest or f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
        self._tags[reference] = digest
        self._contents[f"{repository_of(reference)}@{digest}"] = seed
        return digest

    def pull(self, reference: str) -> Image | None:
        """Return what a reference by tag or by digest leads to, if anything."""
        digest = reference.partition("@")[2] or self._tags.get(reference, "")
        image_id = f"{repository_of(reference)}@{digest}"
        seed = self._contents.get(image_id)
        return None if seed is None else Image(image_id=image_id, seed=seed)

    def describe(self) -> dict[str, str]:
        """Return the digest of every tag."""
        return dict(self._tags)


def repository_of(reference: str) -> str:
    """Return a reference without its tag and digest."""
    name = reference.partition("@")[0]
    host, slash, last = name.rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}"
