"""The module data_disk at its edge: files stand for block devices, and small programs for wipefs and mkfs.xfs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module
from stand_in_commands import no_commands, stand_in

from ansible_collections.crucible.kafka.plugins.modules import data_disk

# A file system is a first line of the device such as "xfs UUID".
WIPEFS = """for device; do :; done
kind=; read -r kind uuid < "$device" 2>/dev/null
case $kind in
  [a-z]*) echo "{\\"signatures\\": [{\\"type\\": \\"$kind\\", \\"uuid\\": \\"$uuid\\"}]}" ;;
esac"""
MKFS = """test "$1" = -q || exit 64
if [ -e "$2.broken" ]; then echo "mkfs.xfs: pwrite failed: Input/output error" >&2; exit 1; fi
echo "xfs uuid-of-${2##*/}" > "$2"
echo "$2" >> "${0%/*}/made" """


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host with two blank disks, `one` and `two`."""
    stand_in(monkeypatch, tmp_path / "bin", {"wipefs": WIPEFS, "mkfs.xfs": MKFS})
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as device:
            device.truncate(1 << 16)
    monkeypatch.setattr(Path, "is_block_device", lambda path: path.exists())
    monkeypatch.setattr(data_disk, "mounts", list)
    monkeypatch.setattr(data_disk, "users", lambda _: ())
    return tmp_path


def disk(host: Path, name: str, path: str = "") -> dict[str, str]:
    return {"device": f"{host}/{name}", "path": path or f"{host}/srv/{name}"}


def made(host: Path) -> list[str]:
    """The devices on which a file system was made, in their order."""
    record = host / "bin/made"
    return record.read_text(encoding="utf-8").split() if record.exists() else []


def test_a_blank_disk_gets_a_file_system_and_a_second_call_has_nothing_to_do(host: Path) -> None:
    answer = run_module("data_disk", disks=[disk(host, "one")])
    assert answer["changed"], answer
    assert answer["disks"] == [{**disk(host, "one"), "uuid": "uuid-of-one"}]
    assert answer["diff"] == {"before": "", "after": f"xfs on {host}/one\n"}
    assert (host / "srv/one").is_dir()
    again = run_module("data_disk", disks=[disk(host, "one")])
    assert not again["changed"]
    assert again["disks"] == answer["disks"]
    assert again["diff"] == {"before": "", "after": ""}
    assert made(host) == [f"{host}/one"]


def test_check_mode_tells_the_same_and_makes_nothing(host: Path) -> None:
    answer = run_module("data_disk", check=True, disks=[disk(host, "one")])
    assert answer["changed"], answer
    assert answer["disks"] == [{**disk(host, "one"), "uuid": ""}]
    assert answer["diff"] == {"before": "", "after": f"xfs on {host}/one\n"}
    assert not (host / "srv").exists()
    assert made(host) == []


def test_without_disks_nothing_is_done() -> None:
    answer = run_module("data_disk", disks=[])
    assert (answer["changed"], answer["disks"]) == (False, [])


def refused(host: Path, *disks: dict[str, str]) -> str:
    """The sentence with which these disks are refused, by a run and by check mode, which leave all as it is."""
    before = {path: path.is_file() and path.read_bytes() for path in host.rglob("*")}
    rehearsed, answer = (run_module("data_disk", check=check, disks=disks) for check in (True, False))
    assert answer.get("failed"), answer
    assert rehearsed["msg"] == answer["msg"]
    assert {path: path.is_file() and path.read_bytes() for path in host.rglob("*")} == before
    sentence: str = answer["msg"]
    return sentence


def test_no_disk_is_touched_when_another_one_is_refused(host: Path) -> None:
    (host / "two").write_text("ext4 u\n", encoding="utf-8")
    sentence = refused(host, disk(host, "one"), disk(host, "two"))
    assert sentence == (
        f"{host}/two was left alone: it holds ext4, and only a blank disk is formatted (see data_disk_mounts)."
    )


def test_data_that_no_program_knows_is_not_overwritten(host: Path) -> None:
    (host / "one").write_bytes(bytes(1 << 16) + b"\1")
    assert "it holds data of an unknown kind" in refused(host, disk(host, "one"))


def test_a_device_that_is_not_there_is_refused(host: Path) -> None:
    assert "none was left alone: this host has no such block device" in refused(host, disk(host, "none"))


def test_a_path_with_files_in_it_is_refused(host: Path) -> None:
    (host / "srv/one").mkdir(parents=True)
    (host / "srv/one/log").touch()
    assert f"{host}/srv/one holds files already" in refused(host, disk(host, "one"))


@pytest.mark.parametrize("file", ["srv", "srv/one"])
def test_a_path_on_which_a_file_lies_is_refused(host: Path, file: str) -> None:
    (host / file).parent.mkdir(exist_ok=True)
    (host / file).touch()
    sentence = refused(host, disk(host, "one"))
    assert sentence == (
        f"{host}/one was left alone: {host}/{file} is a file, so nothing can be mounted at {host}/srv/one "
        "(see data_disk_mounts)."
    )


@pytest.mark.parametrize("path", ["/", "//", "srv/kafka"])
def test_a_path_at_which_no_disk_for_data_can_be_mounted_is_refused(host: Path, path: str) -> None:
    assert f"'{path}' is no absolute path below the root" in refused(host, disk(host, "one", path))


def test_a_disk_or_path_that_is_declared_twice_is_refused(host: Path) -> None:
    (host / "by-id").symlink_to(host / "one")
    assert refused(host, disk(host, "one"), disk(host, "by-id")) == (
        f"{host}/by-id was left alone: it is the same disk as {host}/one (see data_disk_mounts)."
    )
    assert refused(host, disk(host, "one", "/srv/data"), disk(host, "two", "/srv//data/")) == (
        f"{host}/two was left alone: {host}/one is to be mounted at /srv/data, too (see data_disk_mounts)."
    )


def test_a_disk_that_cannot_be_read_is_refused(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(data_disk, "zeroed", broken)
    assert refused(host, disk(host, "one")) == (
        f"{host}/one was left alone: it cannot be read (Input/output error) (see data_disk_mounts)."
    )


def test_a_run_that_ended_between_two_disks_is_finished_by_the_next(host: Path) -> None:
    (host / "two.broken").touch()
    disks = [disk(host, "one"), disk(host, "two")]
    answer = run_module("data_disk", disks=disks)
    assert answer["failed"]
    assert answer["msg"] == (
        f"The command 'mkfs.xfs -q {host}/two' ended with 1: mkfs.xfs: pwrite failed: Input/output error."
    )
    (host / "two.broken").unlink()
    answer = run_module("data_disk", disks=disks)
    assert answer["diff"]["after"] == f"xfs on {host}/two\n"
    assert [each["uuid"] for each in answer["disks"]] == ["uuid-of-one", "uuid-of-two"]
    assert made(host) == [f"{host}/one", f"{host}/two"]


def test_a_command_that_is_missing_is_named(
    host: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_commands(monkeypatch, tmp_path_factory.mktemp("none"))
    assert refused(host, disk(host, "one")) == (
        "The command wipefs cannot be run on this host: No such file or directory."
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "missing required arguments: disks"),
        ({"disks": [{"device": "/dev/vdb"}]}, "missing required arguments: path found in disks"),
        ({"disks": [{"path": "/srv"}]}, "missing required arguments: device found in disks"),
        ({"disks": [{"device": "/dev/vdb", "path": "/srv", "fstype": "ext4"}]}, "Unsupported parameters for"),
        ({"disks": {"device": "/dev/vdb"}}, "argument 'disks' is of type"),
    ],
)
def test_what_is_missing_or_unknown_is_refused_by_its_name(given: dict[str, Any], told: str) -> None:
    answer = run_module("data_disk", **given)
    assert answer["failed"]
    assert told in answer["msg"]
