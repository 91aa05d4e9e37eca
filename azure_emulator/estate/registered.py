"""The models and environments that a workspace knows: assets of the seed, and whatever runs.

Nothing runs in Azure that was never registered, so both services that tell of them know the same.
"""

from collections.abc import Iterator

from azure_emulator.estate.estate import Workspace
from azure_emulator.scoring_seed import AssetSeed, OnlineDeploymentSeed

# What v1 services made of models are made with.
SERVICE_ENVIRONMENT = ("r-scoring", "1")


def models_of(workspace: Workspace) -> dict[str, AssetSeed]:
    """The registered models, by `name:version`; what merely runs has no files."""
    running = _running_models(workspace)
    others = _running_environments(workspace) - running
    assets = {
        each.name: each
        for each in workspace.seed.assets
        if not _describes_environment(each) and each.name not in others
    }
    known = {name: AssetSeed(name=name, files={}) for name in sorted(running)} | assets
    return {name: asset for name, asset in known.items() if _is_version(name)}


def environments_of(workspace: Workspace) -> dict[str, AssetSeed]:
    """The environments, by `name:version`; one that merely runs has neither image nor packages."""
    running = _running_environments(workspace)
    assets = {
        each.name: each
        for each in workspace.seed.assets
        if _describes_environment(each) or each.name in running
    }
    return {name: AssetSeed(name=name) for name in sorted(running)} | assets


def newest_first(version: str) -> tuple[int, str]:
    """Sort key of a version, for a list in reverse order."""
    return (int(version) if version.isdecimal() else -1, version)


def _running_models(workspace: Workspace) -> set[str]:
    served = {model for each in workspace.services.values() for model in each.seed.models}
    return served | {each.model for each in _deployments(workspace) if each.model}


def _running_environments(workspace: Workspace) -> set[str]:
    named = {each.environment for each in _deployments(workspace) if each.environment}
    if any(each.seed.models for each in workspace.services.values()):
        named.add(":".join(SERVICE_ENVIRONMENT))
    return {name for name in named if _is_version(name)}


def _deployments(workspace: Workspace) -> Iterator[OnlineDeploymentSeed]:
    for endpoint in workspace.endpoints.values():
        yield from endpoint.deployments.values()


def _describes_environment(asset: AssetSeed) -> bool:
    return bool(asset.image or asset.conda_file)


def _is_version(name: str) -> bool:
    """Whether it is a `name:version`, and no image's reference."""
    return ":" in name and "/" not in name
