"""Data is never formatted, mounted over or started on by mistake; a disk that is really lost is replaced."""

from typing import Any

import pytest
from live import DISK, MOUNT, SITE, active_voters, nothing_changes, play, replicas_in_sync, starts
from testinfra.host import Host

META = f"{MOUNT}/data/meta.properties"
WIPE = f"blkdiscard --force {DISK}"


def refused(sentence: str, **extra: Any) -> None:
    """Run site.yml and insist that it is refused with this sentence, and that nothing is another afterwards."""
    with nothing_changes():
        run = play(SITE, **extra)
    assert not run.ok
    assert sentence in run.sentences


@pytest.mark.parametrize("stopped", ["kafka2"], indirect=True)
def test_data_of_another_cluster_a_path_without_its_mount_and_a_disk_that_holds_something_are_left_alone(
    stopped: Host,
) -> None:
    """And a blank disk replaces the lost one, on that host alone."""
    others, lost = starts(), active_voters()[2]
    stopped.check_output(f"sed --in-place=.own 's/^cluster.id=.*/cluster.id=Zm9yZWlnbi1jbHVzdGVyLQ/' {META}")
    refused("The hosts are not of one cluster (kafka_cluster_id)")
    assert "cluster.id=Zm9yZWlnbi1jbHVzdGVyLQ" in stopped.file(META).content_string
    stopped.check_output(f"mv {META}.own {META}")

    stopped.check_output(f"umount {MOUNT}")
    refused(f"nothing is mounted at {MOUNT}", data_disk_mounts=[])

    stopped.check_output(WIPE)
    stopped.check_output(f"echo precious | dd of={DISK} conv=notrunc")
    refused(f"{DISK} was left alone: it holds data of an unknown kind")
    assert stopped.check_output(f"head --bytes=8 {DISK}") == "precious"

    stopped.check_output(WIPE)
    run = play(SITE)
    assert run.ok, run.why
    replicas_in_sync()
    assert active_voters().keys() == {1, 2, 3}
    assert active_voters()[2] != lost
    assert {name for name, start in starts().items() if start != others[name]} == {"kafka2"}
