"""Every error this app raises on purpose, and who reads it.

OpsError                      anything below; an HTTP trigger turns it into problem+json
├── SettingsError             the operator: all missing or broken settings at once
├── InvalidRequestError       the caller: which field, and why; nothing was attempted
├── CredentialError           the operator: which Key Vault secret, and what Entra ID or the vault said
├── AzureRequestError         the report: one request to Azure that did not do what was asked
│   ├── MissingRightError     the operator: which Azure action the service principal lacks
│   └── ChangedByOthersError  a redeploy: what it would change or undo is somebody else's by now
├── StorageUnavailableError   the run: history, exemptions or queue cannot be reached; it goes on without
├── ServiceFileError        the operator: every problem of the file of services, with its place
├── NothingEnumeratedError    the caller: no part of the estate could be read
└── RunNotSucceededError      the Functions host: what a timer had to do was done in part, or not
"""

from collections.abc import Sequence


class OpsError(Exception):
    """Base of the tree. `retryable` says whether the same call may succeed later."""

    retryable = False


class SettingsError(OpsError):
    """One error for all settings that are missing or broken.

    `problems` holds one sentence each, naming the setting; never its value if it may be secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class InvalidRequestError(OpsError):
    """The caller's request is wrong. `status` is a 4xx; `field` is a JSON path or a name."""

    def __init__(self, field: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.detail = message
        self.status = status


class CredentialError(OpsError):
    """The service principal cannot be read or is refused. Names vault secrets, never their values."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class AzureRequestError(OpsError):
    """A request to Azure failed for good.

    `status` is the HTTP status, None when no answer arrived; `code` is Azure's error code.
    """

    def __init__(
        self, message: str, *, status: int | None, code: str = "", retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retryable = retryable


class MissingRightError(AzureRequestError):
    """Azure refused a request for want of a right. `action` is the Azure action that is missing."""

    def __init__(self, action: str, *, on: str) -> None:
        super().__init__(f"the service principal lacks {action} on {on}", status=403)
        self.action = action


class ChangedByOthersError(AzureRequestError):
    """Somebody else changed what a redeploy would change or undo: this request changed nothing.

    `retryable`: what they made of it was not looked at yet.
    """

    def __init__(self, message: str, *, status: int | None = None, retryable: bool = False) -> None:
        super().__init__(message, status=status, retryable=retryable)


class StorageUnavailableError(OpsError):
    """Tables or queues of the app's own storage account cannot be used now."""

    retryable = True


class ServiceFileError(OpsError):
    """The file of scoring services cannot be read, or is wrong and no good version is known.

    `problems` holds one sentence each; never a value of the file.
    """

    def __init__(self, problems: Sequence[str], *, retryable: bool = False) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.retryable = retryable


class NothingEnumeratedError(OpsError):
    """A run that could read no part of the estate; `run_id` finds it in the telemetry."""

    def __init__(self, message: str, *, run_id: str, retryable: bool) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.retryable = retryable


class RunNotSucceededError(OpsError):
    """Raised by a timer so that the host, too, counts the invocation as failed."""
