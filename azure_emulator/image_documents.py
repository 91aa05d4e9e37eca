"""What a registry keeps of an image: its manifest, its config, and an index where it has one.

Source: github.com/opencontainers/image-spec (manifest, config, image-index). No layer is here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_emulator.kubernetes_seed import ImageSeed

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"


@dataclass(frozen=True, kw_only=True)
class Documents:
    """All documents of an image by digest; `root` is what its tag leads to."""

    root: str
    manifests: Mapping[str, tuple[str, bytes]] = field(repr=False)
    configs: Mapping[str, bytes] = field(repr=False)


def documents_of(reference: str, seed: ImageSeed) -> Documents:
    """Make an image's documents. A digest that the seed gives stands for the outermost one."""
    content = f"{reference} {seed.model_dump_json()}"
    unique = hashlib.sha256(content.encode()).hexdigest()
    config = _bytes(_config(seed, unique))
    manifest = _bytes(_manifest(config))
    manifests = {digest_of(manifest): (MANIFEST, manifest)}
    outermost = (MANIFEST, manifest)
    if seed.is_index:
        outermost = (INDEX, _bytes(_index(manifest)))
    root = seed.digest or digest_of(outermost[1])
    return Documents(
        root=root,
        manifests={**manifests, root: outermost},
        configs={digest_of(config): config},
    )


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


def _config(seed: ImageSeed, unique: str) -> dict[str, Any]:
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", **seed.variables}
    return {
        "architecture": "amd64",
        "os": "linux",
        "comment": unique,
        "config": {
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Labels": seed.labels or None,
        },
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [],
    }


def _manifest(config: bytes) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest_of(config)},
        "layers": [],
    }


def _index(manifest: bytes) -> dict[str, Any]:
    def entry(content: bytes, system: str, architecture: str) -> dict[str, Any]:
        return {
            "mediaType": MANIFEST,
            "size": len(content),
            "digest": digest_of(content),
            "platform": {"os": system, "architecture": architecture},
        }

    # One that is not there, in front, and the statements that build tools add.
    others = [entry(b"arm", "linux", "arm64"), entry(b"statement", "unknown", "unknown")]
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [*others, entry(manifest, "linux", "amd64")],
    }
