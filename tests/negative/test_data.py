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
def test_a_data_directory_of_another_cluster_is_left_alone(stopped: Host) -> None:
    stopped.check_output(f"sed --in-place=.own 's/^cluster.id=.*/cluster.id=Zm9yZWlnbi1jbHVzdGVyLQ/' {META}")
    try:
        refused("The hosts are not of one cluster (kafka_cluster_id)")
        assert "cluster.id=Zm9yZWlnbi1jbHVzdGVyLQ" in stopped.file(META).content_string
    finally:
        stopped.check_output(f"mv {META}.own {META}")


@pytest.mark.parametrize("stopped", ["kafka2"], indirect=True)
def test_a_path_that_should_be_a_mount_is_never_started_on_without_it(stopped: Host) -> None:
    stopped.check_output(f"umount {MOUNT}")
    try:
        refused(f"nothing is mounted at {MOUNT}", data_disk_mounts=[])
    finally:
        stopped.check_output(f"mount {MOUNT}")


def test_a_disk_that_holds_something_is_left_alone_and_a_blank_one_replaces_the_lost(hosts: dict[str, Host]) -> None:
    host, others = hosts["kafka2"], starts()
    lost = active_voters()[2]
    host.check_output(f"systemctl stop kafka && umount {MOUNT} && {WIPE}")
    host.check_output(f"echo precious | dd of={DISK} conv=notrunc")
    refused(f"{DISK} was left alone: it holds data of an unknown kind")
    assert host.check_output(f"head --bytes=8 {DISK}") == "precious"

    host.check_output(WIPE)
    run = play(SITE)
    assert run.ok, run.why
    replicas_in_sync()
    assert active_voters().keys() == {1, 2, 3}
    assert active_voters()[2] != lost
    assert {name for name, start in starts().items() if start != others[name]} == {"kafka2"}
