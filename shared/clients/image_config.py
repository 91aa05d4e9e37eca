"""What the documents of an image tell: which of its platforms is meant, and which R it has. Pure.

Sources: github.com/opencontainers/image-spec (image-index, config); rocker-org/rocker-versioned2 and
rocker-org/rocker (r-base), whose images set R_VERSION and R_BASE_VERSION.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shared.clients.lenient_json import as_object, as_objects, text
from shared.scoring.redeploy.image_reference import ImageReference

DOCKER_HUB: Final = "registry-1.docker.io"
_ITS_NAMES: Final = frozenset({"", "docker.io", "index.docker.io"})
_VARIABLES: Final = ("R_VERSION", "R_BASE_VERSION")
# As rocker's images are labelled.
_LABEL: Final = "org.opencontainers.image.version"
_LABELLED: Final = re.compile(r"R-(\d+\.\d+\.\d+)")
_CONDA_R: Final = re.compile(
    r"""^\s*-\s*["']?(?:[\w./-]+::)?(r-[\w.]+(?:-[\w.]+)*|rpy2)(?![\w-])\s*(.*?)["']?\s*$""",
    re.MULTILINE,
)
_PIP: Final = re.compile(r"^\s*-\s*pip:\s*$", re.MULTILINE)
_PINNED: Final = re.compile(r"={1,2}\s*(\d+\.\d+(?:\.\d+)?)(?:=\S*)?")


def on_docker_hub(reference: ImageReference) -> ImageReference:
    """Return a reference that names its registry: what names none is Docker Hub's."""
    if reference.registry not in _ITS_NAMES:
        return reference
    repository = reference.repository
    path = repository if "/" in repository else f"library/{repository}"
    return replace(reference, name=f"{DOCKER_HUB}/{path}")


def platform_digest(manifest: Mapping[str, Any]) -> str:
    """Return the digest of an index's manifest for linux/amd64; empty: it is no index, or has none."""
    for each in as_objects(manifest.get("manifests")):
        platform = as_object(each.get("platform"))
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return text(each, "digest")
    return ""


def r_version_of(config: Mapping[str, Any]) -> str:
    """Return what the variables or the label of an image say of R; empty where they say nothing."""
    inner = as_object(config.get("config"))
    listed = inner.get("Env")
    variables = dict(
        each.split("=", 1) for each in (listed if isinstance(listed, list) else []) if "=" in each
    )
    told = next((variables[name] for name in _VARIABLES if variables.get(name)), "")
    label = _LABELLED.fullmatch(text(as_object(inner.get("Labels")), _LABEL))
    return told or (label[1] if label else "")


def conda_r_version(conda_file: str) -> str | None:
    """Return the R that a conda file installs: empty where it is not pinned, None where it has none.

    It comes before the image's own on the PATH of what Azure ML builds. Conda's packages for R
    bring one along; what pip installs (rpy2) uses the one that is there.
    """
    of_conda = _PIP.split(conda_file)[0]
    wanted = {found[1]: found[2] for found in _CONDA_R.finditer(of_conda)}
    if not wanted:
        return None
    pinned = _PINNED.fullmatch(wanted.get("r-base", ""))
    return pinned[1] if pinned else ""
