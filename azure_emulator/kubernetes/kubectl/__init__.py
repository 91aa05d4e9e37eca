"""What kubectl prints inside a cluster, said by the cluster's own API: nothing is executed."""

from azure_emulator.kubernetes.kubectl.command_line import UnknownCommandError, parsed
from azure_emulator.kubernetes.kubectl.commands import perform
from azure_emulator.kubernetes.kubectl.session import Ask, CommandFailedError, Outcome

__all__ = ["Ask", "CommandFailedError", "Outcome", "UnknownCommandError", "parsed", "perform"]
