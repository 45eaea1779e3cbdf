"""The module kafka_release: an archive is installed wholly or not at all, and only if it is the declared one."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive in the layout of Maven's jars: libs/ and no bin/."""
    (tmp_path / "kafka_2.13-4.3.1/libs").mkdir(parents=True)
    (tmp_path / "kafka_2.13-4.3.1/libs/kafka.jar").write_text("jar", encoding="ascii")
    file = tmp_path / "kafka.tgz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(tmp_path / "kafka_2.13-4.3.1", "kafka_2.13-4.3.1")
    return file


def install(archive: Path, checksum: str, *, check: bool = False, java: str = "/usr/bin/java") -> dict[str, Any]:
    return run_module(
        "kafka_release",
        check=check,
        archive=str(archive),
        checksum=checksum,
        dest=str(archive.parent / "kafka-4.3.1"),
        link=str(archive.parent / "kafka"),
        commands={"kafka-topics": "org.apache.kafka.tools.TopicCommand"},
        java=java,
    )


def test_a_release_is_installed_by_the_checksum_as_it_was_published_and_only_once(archive: Path) -> None:
    digits = hashlib.sha512(archive.read_bytes()).hexdigest().upper()
    published = "kafka.tgz: " + "\n ".join(digits[start : start + 8] for start in range(0, 128, 8))
    assert install(archive, published)["changed"]
    assert (archive.parent / "kafka/bin/kafka-topics.sh").exists()
    assert not archive.exists()
    assert not install(archive, published)["changed"]


@pytest.mark.parametrize("checksum", ["00" * 64, "128 hexadecimal digits"])
def test_another_archive_is_not_unpacked(archive: Path, checksum: str) -> None:
    answer = install(archive, checksum)
    assert answer["failed"]
    assert "check kafka_archive_url and kafka_archive_checksum" in answer["msg"]
    assert not (archive.parent / "kafka-4.3.1").exists()


def test_an_archive_of_another_release_is_not_installed(archive: Path) -> None:
    """Its checksum may be right all the same: of an archive whose URL does not follow the declared release."""
    folder = archive.parent / "kafka_2.13-4.3.1"
    (folder / "libs/kafka-clients-4.2.1.jar").write_text("jar", encoding="ascii")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    answer = install(archive, hashlib.sha512(archive.read_bytes()).hexdigest())
    assert answer["failed"]
    assert "The archive holds Kafka 4.2.1, not the release of kafka_version." in answer["msg"]
    assert [path.name for path in archive.parent.iterdir()] == [folder.name]


def test_an_archive_of_the_release_is_installed(archive: Path) -> None:
    folder = archive.parent / "kafka_2.13-4.3.1"
    (folder / "libs/kafka-clients-4.3.1.jar").write_text("jar", encoding="ascii")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    assert install(archive, hashlib.sha512(archive.read_bytes()).hexdigest())["changed"]


def test_check_mode_says_what_would_be_done_and_does_nothing(archive: Path) -> None:
    assert install(archive, "00" * 64, check=True)["changed"]
    assert archive.exists()
    assert not (archive.parent / "kafka").exists()


RUN_CLASS = """#!/bin/bash
# License
if [ -z "$JAVA_HOME" ]; then
  echo java
else
  echo "$JAVA_HOME/bin/java"
fi
"""


@pytest.fixture
def official(archive: Path) -> Path:
    """An archive in the official layout, whose scripts choose Java as kafka-run-class.sh does."""
    folder = archive.parent / "kafka_2.13-4.3.1"
    (folder / "bin").mkdir()
    (folder / "bin/kafka-run-class.sh").write_text(RUN_CLASS, encoding="ascii")
    (folder / "bin/kafka-run-class.sh").chmod(0o755)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return archive


def java_of(release: Path, **environment: str) -> str:
    script = release / "bin/kafka-run-class.sh"
    return subprocess.check_output([script], env={"PATH": "/usr/bin:/bin", **environment}, text=True).strip()


def test_the_official_scripts_run_on_the_declared_java_and_on_another_one_once_it_is_declared(official: Path) -> None:
    digits = hashlib.sha512(official.read_bytes()).hexdigest()
    release = official.parent / "kafka"
    assert install(official, digits, java="/opt/jdk-17/bin/java")["changed"]
    assert java_of(release) == "/opt/jdk-17/bin/java"
    assert java_of(release, JAVA_HOME="/opt/mine") == "/opt/mine/bin/java"
    assert not install(official, digits, java="/opt/jdk-17/bin/java")["changed"]

    assert install(official, digits, java="/opt/jdk-21/bin/java", check=True)["changed"]
    assert java_of(release) == "/opt/jdk-17/bin/java"
    answer = install(official, digits, java="/opt/jdk-21/bin/java")
    assert "kafka-run-class.sh, with /opt/jdk-21/bin/java" in answer["diff"]["after"]
    assert java_of(release) == "/opt/jdk-21/bin/java"
    assert (release / "bin/kafka-run-class.sh").read_text(encoding="ascii").count("JAVA_HOME:=") == 1


def test_our_own_command_line_tools_follow_the_declared_java(archive: Path) -> None:
    digits = hashlib.sha512(archive.read_bytes()).hexdigest()
    tool = archive.parent / "kafka/bin/kafka-topics.sh"
    install(archive, digits)
    assert "exec /usr/bin/java " in tool.read_text(encoding="ascii")
    assert install(archive, digits, java="/opt/jdk-21/bin/java")["changed"]
    assert "exec /opt/jdk-21/bin/java " in tool.read_text(encoding="ascii")
    assert tool.stat().st_mode & 0o777 == 0o755


def uninstall(folder: Path) -> dict[str, Any]:
    return run_module("kafka_release", state="absent", link=str(folder / "kafka"))


@pytest.mark.parametrize("check", [False, True])
def test_a_directory_in_the_place_of_the_link_is_one_sentence_and_nothing_is_touched(
    archive: Path, check: bool
) -> None:
    """As tutorials install Kafka."""
    (archive.parent / "kafka/bin").mkdir(parents=True)
    answer = install(archive, hashlib.sha512(archive.read_bytes()).hexdigest(), check=check)
    assert answer["failed"]
    assert answer["msg"].startswith(f"{archive.parent}/kafka is no link, and the link to the release belongs there")
    assert "move it" in answer["msg"]
    assert archive.exists()
    assert not (archive.parent / "kafka-4.3.1").exists()


def test_a_directory_in_the_place_of_the_link_is_not_removed(archive: Path) -> None:
    (archive.parent / "kafka/bin").mkdir(parents=True)
    assert not uninstall(archive.parent)["changed"]
    assert (archive.parent / "kafka/bin").is_dir()


def test_a_release_of_somebody_else_is_left_by_the_link_and_never_removed(archive: Path) -> None:
    theirs = archive.parent / "kafka_2.13-3.7.0"
    theirs.mkdir()
    (archive.parent / "kafka").symlink_to(theirs)
    install(archive, hashlib.sha512(archive.read_bytes()).hexdigest())
    assert (archive.parent / "kafka.previous").readlink() == theirs
    assert uninstall(archive.parent)["changed"]
    assert theirs.is_dir()
    assert {path.name for path in archive.parent.glob("kafka*")} == {"kafka_2.13-3.7.0", "kafka_2.13-4.3.1"}


def test_a_link_of_somebody_else_stays_where_nothing_was_installed(archive: Path) -> None:
    theirs = archive.parent / "kafka_2.13-3.7.0"
    theirs.mkdir()
    (archive.parent / "kafka").symlink_to(theirs)
    assert not uninstall(archive.parent)["changed"]
    assert (archive.parent / "kafka").readlink() == theirs


def test_what_was_installed_is_removed_with_its_links(archive: Path) -> None:
    install(archive, hashlib.sha512(archive.read_bytes()).hexdigest())
    assert uninstall(archive.parent)["changed"]
    assert [path.name for path in archive.parent.glob("kafka*")] == ["kafka_2.13-4.3.1"]
    assert not uninstall(archive.parent)["changed"]
