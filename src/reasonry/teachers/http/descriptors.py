"""How many files this process may have open: every connection is one."""

from __future__ import annotations

from reasonry.errors import UsageError

__all__ = ["allow_connections"]

_OTHERS = 128  # files that are open anyway: libraries, the ledger, the terminal, worker processes


def allow_connections(count: int) -> None:
    """Raise this process's own limit, as far as the system lets it, so that `count` connections fit.

    Raises UsageError where they do not.
    """
    try:
        import resource
    except ImportError:  # no such limit on this system
        return
    needed = count + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"{count} connections need {needed} open files, and this process may have {hard}",
            place="distil.concurrency",
            hint=f"concurrency = {max(1, hard - _OTHERS)}, or ask for a higher limit (ulimit -Hn)",
        )
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (OSError, ValueError) as exc:
        raise UsageError(
            f"{count} connections need {needed} open files, and this process may have {soft}",
            place="distil.concurrency",
            hint=f"concurrency = {max(1, soft - _OTHERS)}, or `ulimit -n {needed}`",
        ) from exc
