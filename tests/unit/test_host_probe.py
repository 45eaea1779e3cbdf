"""The module host_probe at its edge, and the action plugin that compares the host's clock with its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from controller_process import in_controller
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import host_probe

RETURNED = {
    "memory_mb": int,
    "free_mb": dict,
    "java_major": int,
    "unresolved": list,
    "has_data": bool,
    "ssh_client": str,
    "ufw_enabled": bool,
    "clock_ns": int,
    "took_ns": int,
}


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host with Java 17, a directory with data, one without; SSH comes from 192.0.2.9, and no name is asked for."""
    (tmp_path / "jdk/bin").mkdir(parents=True)
    (tmp_path / "jdk/release").write_text('IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.9"\n', encoding="utf-8")
    (tmp_path / "jdk/bin/java").touch()
    (tmp_path / "java").symlink_to("jdk/bin/java")
    (tmp_path / "used").mkdir()
    (tmp_path / "used/meta.properties").touch()
    monkeypatch.setattr(host_probe, "ssh_connection", lambda: ("192.0.2.9", "192.0.2.1", 22))
    return tmp_path


def probe(host: Path, check: bool = False, **given: Any) -> dict[str, Any]:
    return run_module("host_probe", check=check, **{"java": f"{host}/java", "data_dirs": [f"{host}/new/data"], **given})


@pytest.mark.parametrize("check", [False, True])
def test_all_that_is_documented_is_told_and_nothing_is_changed(host: Path, check: bool) -> None:
    before = sorted(host.rglob("*"))
    answer = probe(host, check, data_dirs=[f"{host}/new/data", f"{host}/used"])
    assert "failed" not in answer, answer
    assert {name: type(answer[name]) for name in RETURNED} == RETURNED
    assert not answer.get("changed")
    assert list(answer["free_mb"]) == [f"{host}/new/data"]  # Where data is already, its room is judged by nobody.
    assert answer["free_mb"][f"{host}/new/data"] > 0
    assert (answer["java_major"], answer["has_data"], answer["ssh_client"]) == (17, True, "192.0.2.9")
    assert sorted(host.rglob("*")) == before


@pytest.mark.parametrize(
    ("release", "major"), [('JAVA_VERSION="1.8.0_392"\n', 8), ('JAVA_VERSION="21"\n', 21), ("IMPLEMENTOR=x\n", 0)]
)
def test_javas_major_version_is_that_of_its_release_file(host: Path, release: str, major: int) -> None:
    (host / "jdk/release").write_text(release, encoding="utf-8")
    assert probe(host)["java_major"] == major


def test_a_java_that_is_not_there_is_version_0(host: Path) -> None:
    assert probe(host, java="/nowhere/bin/java")["java_major"] == 0


def test_the_room_is_that_of_the_disk_that_will_be_mounted(host: Path) -> None:
    with (host / "disk").open("wb") as disk:
        disk.truncate(3 << 20)
    mounts = [{"device": f"{host}/disk", "path": f"{host}/new"}]
    answer = probe(host, data_dirs=[f"{host}/new/data", f"{host}/other"], disks=mounts)
    assert answer["free_mb"][f"{host}/new/data"] == 3
    assert answer["free_mb"][f"{host}/other"] != 3


def test_a_device_whose_size_cannot_be_read_is_told_in_one_sentence(host: Path) -> None:
    answer = probe(host, disks=[{"device": str(host), "path": f"{host}/new"}])
    assert answer["failed"]
    assert answer["msg"] == f"The size of {host} cannot be read: Is a directory (see data_disk_mounts)."


def test_names_that_the_resolver_does_not_know_are_told_even_those_that_it_cannot_know(host: Path) -> None:
    wrong = ["kafka1..example.com", f"{'k' * 64}.example.com"]
    assert probe(host, resolve=["127.0.0.1", "::1", *wrong])["unresolved"] == wrong


def test_where_only_root_may_know_from_where_ssh_comes_nothing_is_said(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> None:
        raise PermissionError(13, "Permission denied", "/proc/1/environ")

    monkeypatch.setattr(host_probe, "ssh_connection", forbidden)
    assert probe(host)["ssh_client"] == ""
    monkeypatch.setattr(host_probe, "ssh_connection", lambda: None)
    assert probe(host)["ssh_client"] == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"java": None}, "missing required arguments: java"),
        ({"data_dirs": None}, "missing required arguments: data_dirs"),
        ({"data_dirs": {"path": "/data"}}, "argument 'data_dirs' is of type"),
        ({"disks": [{"device": "/dev/vdb"}]}, "missing required arguments: path found in disks"),
        ({"disks": [{"path": "/data"}]}, "missing required arguments: device found in disks"),
        ({"disks": ["/dev/vdb"]}, "dictionary requested, could not parse JSON or key=value"),
    ],
)
def test_what_is_missing_or_of_another_type_is_refused_by_its_name(
    host: Path, changes: dict[str, Any], told: str
) -> None:
    given = {"java": f"{host}/java", "data_dirs": [f"{host}/new"], **changes}
    answer = run_module("host_probe", **{name: value for name, value in given.items() if value is not None})
    assert answer["failed"]
    assert told in answer["msg"]


def compared(result: dict[str, Any], *clock_ns: int) -> dict[str, Any]:
    """The answer of the action plugin to this result of its module, by a clock of its own that shows these times."""
    return in_controller(_compared, result, *clock_ns)


def _compared(result: dict[str, Any], *clock_ns: int) -> dict[str, Any]:
    from ansible_collections.crucible.kafka.plugins.action.host_probe import ActionModule

    action = object.__new__(ActionModule)
    with (
        mock.patch("time.time_ns", side_effect=clock_ns),
        mock.patch("ansible.plugins.action.ActionBase.run", lambda *_: {}),
        mock.patch.object(action, "_execute_module", lambda **_: dict(result), create=True),
    ):
        answer: dict[str, Any] = action.run(task_vars={})
    return answer


def test_a_clock_is_compared_as_closely_as_the_answers_way_allows() -> None:
    second = 10**9
    # Asked at 100 s, answered at 110 s; its clock showed 112 s after 4 s, so between 104 s and 110 s here.
    answer = compared({"clock_ns": 112 * second, "took_ns": 4 * second}, 100 * second, 110 * second)
    assert answer["skew_s"] == pytest.approx([2, 8])
    assert answer["clock_ns"] == 112 * second


def test_a_failure_of_the_module_is_passed_on_as_it_is() -> None:
    failure = {"failed": True, "msg": "missing required arguments: java"}
    assert compared(failure, 100, 110) == failure
