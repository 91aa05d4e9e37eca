"""Say in one word, and in a sentence, why a probe got no answer."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from enum import Enum

from shared.scoring.probe import Contact


class Stage(Enum):
    """What a probe is waiting for."""

    RESOLVING = "the addresses of its host"
    CONNECTING = "a TCP connection"
    SECURING = "the TLS handshake"
    ANSWERING = "the whole answer"


_IN_TIME = {
    Stage.RESOLVING: Contact.UNRESOLVED,
    Stage.CONNECTING: Contact.CONNECT_TIMED_OUT,
    Stage.SECURING: Contact.TIMED_OUT,
    Stage.ANSWERING: Contact.TIMED_OUT,
}
_OTHERWISE = {
    Stage.RESOLVING: Contact.UNRESOLVED,
    Stage.CONNECTING: Contact.UNREACHABLE,
    Stage.SECURING: Contact.TLS_FAILED,
    Stage.ANSWERING: Contact.CUT,
}
MAX_WORDS = 200
# This worker's own shortage: said, so that nobody looks for it at the service.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENOMEM})


def explain(error: Exception, stage: Stage, timeout_seconds: float) -> tuple[Contact, str]:
    """Translate what a socket, TLS or the resolver raised while a probe waited for something."""
    if isinstance(error, TimeoutError):
        return _IN_TIME[stage], f"waited {timeout_seconds:g} s, in the end for {stage.value}"
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error, stage)
    if isinstance(error, ConnectionRefusedError):
        return Contact.REFUSED, "the connection was refused"
    return _OTHERWISE[stage], f"while waiting for {stage.value}: {_words(error)}"


def _explain_tls(error: ssl.SSLError, stage: Stage) -> tuple[Contact, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Contact.CERTIFICATE_INVALID, getattr(error, "verify_message", "") or "not valid"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _OTHERWISE[stage], f"the connection ended while waiting for {stage.value}"
    # Also after the handshake: TLS 1.3 refuses a client that shows no certificate only then.
    # Only OpenSSL's own errors have a reason.
    reason = getattr(error, "reason", None) or error.strerror or "no reason given"
    return Contact.TLS_FAILED, f"TLS failed: {reason.replace('_', ' ').lower()}"


def _words(error: Exception) -> str:
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)[:MAX_WORDS] or type(error).__name__
    # A resolver's error numbers are its own: the system's mean nothing there.
    if error.errno in _OURS and not isinstance(error, socket.gaierror):
        return f"this app's own worker: {os.strerror(error.errno)}"
    return error.strerror or type(error).__name__
