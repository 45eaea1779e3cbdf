"""The module kafka_release: an archive is installed wholly or not at all, and only if it is the declared one."""

from __future__ import annotations

import hashlib
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


def install(archive: Path, checksum: str, *, check: bool = False) -> dict[str, Any]:
    return run_module(
        "kafka_release",
        check=check,
        archive=str(archive),
        checksum=checksum,
        dest=str(archive.parent / "kafka-4.3.1"),
        link=str(archive.parent / "kafka"),
        commands={"kafka-topics": "org.apache.kafka.tools.TopicCommand"},
        java="/usr/bin/java",
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


def test_check_mode_says_what_would_be_done_and_does_nothing(archive: Path) -> None:
    assert install(archive, "00" * 64, check=True)["changed"]
    assert archive.exists()
    assert not (archive.parent / "kafka").exists()
