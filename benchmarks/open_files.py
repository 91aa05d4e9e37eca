"""How many files this process may have open: sockets are among them."""

import resource


def allow_most_files() -> None:
    """Raise the soft limit to the hard one: a thousand sockets need more than the usual 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
