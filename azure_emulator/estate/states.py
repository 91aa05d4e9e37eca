"""The states of a compute instance, and what they allow."""

from enum import StrEnum


class State(StrEnum):
    """ComputeInstanceState of api-version 2025-12-01: all sixteen. While creating it can be null."""

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


# Another operation is at work: whatever is asked now gets 409.
TRANSITIONAL: frozenset[State | None] = frozenset(
    {
        None,
        State.CREATING,
        State.DELETING,
        State.RESTARTING,
        State.RESIZING,
        State.SETTING_UP,
        State.STARTING,
        State.STOPPING,
        State.USER_SETTING_UP,
    }
)
