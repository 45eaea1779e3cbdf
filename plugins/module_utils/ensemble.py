"""When a ZooKeeper server may be stopped, when it has come back, and when it may be removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .cluster import listed

SERVING = ("leader", "follower", "standalone")


def may_stop(modes: Mapping[str, str], server: str) -> list[str]:
    """Reasons why that server may not be stopped now.

    Args:
        modes: What each server of the ensemble says that it is; "" if it does not answer or does not serve.
        server: The one in question.
    """
    others = [mode for name, mode in modes.items() if name != server and mode in SERVING]
    majority = len(modes) // 2 + 1
    if len(modes) == 1 or modes[server] not in SERVING or len(others) >= majority:
        return []
    missing = ", ".join(name for name, mode in modes.items() if name != server and mode not in SERVING) or "none"
    return [
        f"without {server} only {len(others)} of {len(modes)} servers would serve, not {majority} (missing: {missing})"
    ]


def may_remove(modes: Mapping[str, str], servers: Collection[str]) -> list[str]:
    """Reasons why those servers may not be removed for good, all at once; the arguments are those of `may_stop`."""
    others = [name for name, mode in modes.items() if name not in servers and mode in SERVING]
    majority = len(modes) // 2 + 1
    if len(others) >= majority:
        return []
    return [f"without {listed(servers)} only {len(others)} of {len(modes)} servers would serve, not {majority}"]


def recovered(modes: Mapping[str, str], server: str) -> list[str]:
    """Reasons why that server is not yet back: it serves only once it has copied what it missed from the leader."""
    return [] if modes[server] in SERVING else [f"{server} does not serve"]
