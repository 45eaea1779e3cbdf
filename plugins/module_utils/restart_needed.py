"""Why a running process has to be restarted: what it was started with is compared with what it would start with now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .cluster import listed
from .host_state import Host, Process, log_dirs
from .properties import changed_keys


def restart_reasons(host: Host, restart_keys: Sequence[str] | None) -> Iterator[str]:
    """Yield why the host's process has to be restarted, in words that follow "because".

    Args:
        host: A host whose process runs.
        restart_keys: The changed keys that only a restart brings into force, as the broker itself tells; None if it
            could not be asked (it does not serve, or is a controller): then every changed key is one.
    """
    process = host.process or Process()
    for what, digest in sorted(host.digests.items()):
        if process.digests.get(what) != digest:
            yield f"{what} changed"
    keys = changed_keys(process.properties, host.properties) if restart_keys is None else sorted(restart_keys)
    if keys:
        yield f"{listed(keys)} changed"
    if secrets := sorted(host.changed_secrets):
        yield f"the secret {listed(secrets)} changed"
    used = log_dirs(process.properties)
    if blank := [path for path in host.unformatted_dirs if path in used]:
        yield f"{listed(blank)} is blank"
