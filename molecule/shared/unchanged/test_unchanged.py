"""Holds a run that must not change anything to its word: not by what it says, but file by file on each host."""

from live import HOSTS, state
from testinfra.host import Host

testinfra_hosts = HOSTS


def test_the_host_is_as_it_was_marked(host: Host) -> None:
    marked = host.file("/run/crucible.state").content_string.splitlines()
    assert len(marked) > 1000, "state.sh saw next to nothing"
    changed = sorted(set(marked) ^ set(state(host)))
    assert not changed, "\n".join(changed)
