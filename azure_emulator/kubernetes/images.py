"""Registries: tags that lead to digests, and may be moved; digests that always mean the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from azure_emulator.image_documents import Documents, documents_of
from azure_emulator.kubernetes_seed import ImageSeed


@dataclass(frozen=True, kw_only=True)
class Image:
    """What was pulled. `image_id` is how a node calls it: `<repository>@<digest>`."""

    image_id: str
    seed: ImageSeed
    documents: Documents


class Images:
    """All images that can be pulled."""

    def __init__(self, tags: Mapping[str, ImageSeed]) -> None:
        self._tags: dict[str, str] = {}
        self._contents: dict[str, Image] = {}
        self._documents: dict[str, list[Documents]] = {}
        for reference, seed in tags.items():
            self.push(reference, seed)

    def push(self, reference: str, seed: ImageSeed) -> str:
        """Let a tag lead to this content, and return its digest; the old content stays."""
        documents, repository = documents_of(reference, seed), repository_of(reference)
        image_id = f"{repository}@{documents.root}"
        self._tags[reference] = documents.root
        self._contents[image_id] = Image(image_id=image_id, seed=seed, documents=documents)
        self._documents.setdefault(repository, []).append(documents)
        return documents.root

    def pull(self, reference: str) -> Image | None:
        """Return what a reference by tag or by digest leads to, if anything."""
        digest = reference.partition("@")[2] or self._tags.get(reference, "")
        return self._contents.get(f"{repository_of(reference)}@{digest}")

    def manifest(self, reference: str) -> tuple[str, str, bytes] | None:
        """Return digest, media type and content of what a reference leads to, parts of an index too."""
        digest = reference.partition("@")[2] or self._tags.get(reference, "")
        for documents in reversed(self._documents.get(repository_of(reference), [])):
            if digest in documents.manifests:
                return digest, *documents.manifests[digest]
        return None

    def config(self, repository: str, digest: str) -> bytes | None:
        """Return the config of an image by its digest."""
        known = self._documents.get(repository, [])
        return next((each.configs[digest] for each in known if digest in each.configs), None)

    def describe(self) -> dict[str, str]:
        """Return the digest of every tag."""
        return dict(self._tags)


def repository_of(reference: str) -> str:
    """Return a reference without its tag and digest."""
    name = reference.partition("@")[0]
    host, slash, last = name.rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}"
