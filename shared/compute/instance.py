"""The nouns: a workspace, a compute in it, and what Azure last did to that compute.

Source of every spelling: Microsoft.MachineLearningServices, api-version 2025-12-01.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.compute.native_settings import Cluster, GuardRails

COMPUTE_INSTANCE = "ComputeInstance"
AML_COMPUTE = "AmlCompute"


class InstanceState(StrEnum):
    """All 16 states of a compute instance (ComputeInstanceState)."""

    CREATING = "Creating"
    CREATE_FAILED = "CreateFailed"
    DELETING = "Deleting"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    RESIZING = "Resizing"
    JOB_RUNNING = "JobRunning"
    SETTING_UP = "SettingUp"
    SETUP_FAILED = "SetupFailed"
    STARTING = "Starting"
    STOPPED = "Stopped"
    STOPPING = "Stopping"
    USER_SETTING_UP = "UserSettingUp"
    USER_SETUP_FAILED = "UserSetupFailed"
    UNKNOWN = "Unknown"
    UNUSABLE = "Unusable"


@dataclass(frozen=True, kw_only=True)
class LastOperation:
    """What Azure last did: `Stop` at a time, `StopFailed`, triggered by `User`, `Schedule`, ..."""

    name: str
    at: datetime | None
    status: str
    trigger: str


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """An Azure Machine Learning workspace, in Azure's own spelling of its id."""

    id: str
    name: str
    subscription_id: str
    location: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Compute:
    """A compute as one list showed it.

    `state` is None while it is being created. `cluster` is None of what is no cluster, or none
    whose scale settings and nodes could be read.
    """

    id: str
    name: str
    workspace: Workspace
    compute_type: str
    location: str
    state: str | None = None
    owner: str = ""
    vm_size: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    last_operation: LastOperation | None = None
    cluster: Cluster | None = None
    guard_rails: GuardRails = field(default_factory=GuardRails)

    @property
    def key(self) -> str:
        """What identifies a compute: Azure compares ids without case."""
        return self.id.lower()

    @property
    def is_instance(self) -> bool:
        """Only compute instances can be stopped; clusters scale, attached computes are not ours."""
        return self.compute_type.lower() == COMPUTE_INSTANCE.lower()

    @property
    def is_cluster(self) -> bool:
        """Clusters scale by the number of their nodes."""
        return self.compute_type.lower() == AML_COMPUTE.lower()
