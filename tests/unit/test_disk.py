"""Which disks are formatted: blank ones, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.disk import (
    Disk,
    Observed,
    RefusalError,
    mount_points,
    must_format,
)

DISK = Disk("/dev/vdb", "/var/lib/kafka")
BLANK = Observed(zeroed=True)
names = st.sampled_from(["/var/lib/kafka", "/srv", "vdb1", "dm-0"])

observed = st.builds(
    Observed,
    block_device=st.booleans(),
    signatures=st.none() | st.dictionaries(st.sampled_from(["xfs", "ext4", "gpt", "LVM2_member"]), st.just("uuid")),
    users=st.lists(names, max_size=1).map(tuple),
    zeroed=st.booleans(),
    mounted_at=st.lists(names, max_size=2).map(tuple),
    path_holds=st.none() | st.just("/dev/sda1"),
    path_files=st.integers(0, 2),
)


@given(observed)
def test_only_a_disk_on_which_nothing_was_found_is_formatted(seen: Observed) -> None:
    try:
        formats = must_format(DISK, seen)
    except RefusalError as refusal:
        assert "/dev/vdb" in str(refusal)
        assert "data_disk_mounts" in str(refusal)
        return
    assert not formats or (seen.zeroed and not (seen.signatures or seen.users or seen.mounted_at or seen.path_files))
    assert formats or "xfs" in (seen.signatures or {})


def test_a_blank_disk_is_formatted() -> None:
    assert must_format(DISK, BLANK)


def test_a_disk_that_is_mounted_right_is_left_alone() -> None:
    assert not must_format(DISK, Observed(signatures={"xfs": "u"}, mounted_at=("/var/lib/kafka",)))


def test_a_file_system_that_an_earlier_run_made_and_did_not_mount_is_kept() -> None:
    assert not must_format(DISK, Observed(signatures={"xfs": "u"}))


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (replace(BLANK, block_device=False), "this host has no such block device"),
        (replace(BLANK, signatures={"gpt": "", "PMBR": ""}), "it holds PMBR, gpt, and only a blank disk is formatted"),
        (replace(BLANK, signatures={"xfs": "u", "gpt": ""}), "it holds gpt, xfs, and only a blank disk is formatted"),
        (replace(BLANK, signatures={"ext4": "u"}), "it holds ext4, and only a blank disk is formatted"),
        (replace(BLANK, users=("vdb1", "dm-0")), "it is in use by vdb1, dm-0"),
        (
            replace(BLANK, zeroed=False),
            "it holds data of an unknown kind, and only a blank disk, zeroed at both ends, is formatted",
        ),
        (replace(BLANK, mounted_at=("/srv", "/mnt")), "it is mounted at /srv, /mnt instead of /var/lib/kafka"),
        (
            replace(BLANK, file_in_the_way="/var/lib"),
            "/var/lib is a file, so nothing can be mounted at /var/lib/kafka",
        ),
        (replace(BLANK, path_holds="/dev/sda1"), "/dev/sda1 is mounted at /var/lib/kafka already"),
        (
            replace(BLANK, path_files=3),
            "/var/lib/kafka holds files already, which a mount would hide; move them away first",
        ),
        (
            replace(BLANK, mounted_at=("/var/lib/kafka",), signatures={"ext4": "u"}),
            "it is mounted at /var/lib/kafka with another file system than xfs",
        ),
    ],
)
def test_any_other_disk_is_refused_in_one_sentence(seen: Observed, reason: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        must_format(DISK, seen)
    assert str(refusal.value) == f"/dev/vdb was left alone: {reason} (see data_disk_mounts)."


def test_paths_are_spelt_as_the_kernel_spells_them() -> None:
    disks = [Disk("/dev/vdb", "/srv//one/"), Disk("/dev/vdc", "//srv/one/../two")]
    same = {disk.device: disk.device for disk in disks}
    assert mount_points(disks, same) == [Disk("/dev/vdb", "/srv/one"), Disk("/dev/vdc", "/srv/two")]


@pytest.mark.parametrize(
    ("path", "device", "reason"),
    [
        ("/", "/dev/vdc", "'/' is no absolute path below the root"),
        ("srv", "/dev/vdc", "'srv' is no absolute path below the root"),
        ("/var/lib/kafka/", "/dev/vdc", "/dev/vdb is to be mounted at /var/lib/kafka, too"),
        ("/srv", "/dev/disk/by-id/one", "it is the same disk as /dev/vdb"),
    ],
)
def test_a_declaration_that_cannot_be_mounted_is_refused(path: str, device: str, reason: str) -> None:
    same = {"/dev/vdb": "/dev/vdb", "/dev/vdc": "/dev/vdc", "/dev/disk/by-id/one": "/dev/vdb"}
    with pytest.raises(RefusalError) as refusal:
        mount_points([DISK, Disk(device, path)], same)
    assert str(refusal.value) == f"{device} was left alone: {reason} (see data_disk_mounts)."
