"""How many sockets this process may have open at once, as far as the system lets it."""

from __future__ import annotations

# Where the system says nothing (Windows), and where it sets no limit worth the name.
FEW, MOST = 400, 4_000
# Logs, libraries, storage, the host's own channel.
FOR_OTHERS = 124


def sockets_at_once() -> int:
    """Return how many sockets probes may use: the process's files, less some for everybody else."""
    try:
        import resource
    except ImportError:
        return FEW
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = MOST if soft == resource.RLIM_INFINITY else soft - FOR_OTHERS
    return max(min(free, MOST), 1)
