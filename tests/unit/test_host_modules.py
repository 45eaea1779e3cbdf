"""The modules for hosts at their edge: run as Ansible runs them, on a host that is not as theirs is."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "plugins/modules"

# It fails as apt-get does while another process holds the lock on the lists: as often as the file `held` has lines.
APT_GET = """#!/usr/bin/env python3
import pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as calls:
    print(sys.argv[-1], file=calls)
held = (folder / "held").read_text().splitlines()
if held:
    (folder / "held").write_text("\\n".join(held[1:]))
    sys.exit("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)")
if "install" in sys.argv and "update" not in (folder / "calls").read_text():
    sys.exit("E: Unable to locate package xfsprogs")
(folder / "umask").write_text(f"{__import__('os').umask(0):o}")
"""


def run(name: str, check: bool = False, umask: int = 0o22, path: str = "", **options: Any) -> dict[str, Any]:
    """Run a module with its options under a umask, and return its answer."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check}}
    done = subprocess.run(
        [sys.executable, LIBRARY / f"{name}.py"],
        input=json.dumps(arguments),
        env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """A folder with an apt-get in it, whose locks are free, and a dpkg-query that knows no package."""
    for name, text in (("apt-get", APT_GET), ("dpkg-query", "#!/bin/sh\nexit 1\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "held").touch()
    return tmp_path


def test_a_lock_on_the_package_lists_is_waited_for(apt: Path) -> None:
    (apt / "held").write_text("once\ntwice\n", encoding="utf-8")
    answer = run("apt_packages", path=str(apt), names=["xfsprogs"])
    assert answer["changed"], answer
    assert (apt / "held").read_text(encoding="utf-8") == ""


def test_a_lock_that_stays_is_named_with_its_holder(apt: Path) -> None:
    (apt / "held").write_text("held\n" * 100, encoding="utf-8")
    answer = run("apt_packages", path=str(apt), names=["xfsprogs"], lock_timeout_s=0)
    assert answer["failed"]
    assert "Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)" in answer["msg"]


def test_what_apt_writes_is_readable_whatever_the_umask(apt: Path) -> None:
    run("apt_packages", path=str(apt), umask=0o77, names=["xfsprogs"])
    assert (apt / "umask").read_text(encoding="utf-8") == "22"


@pytest.fixture
def release(tmp_path: Path) -> dict[str, Any]:
    """The options for a release whose archive was packed by somebody with private files."""
    return options_for(tmp_path, "4.3.1")


def options_for(folder: Path, version: str) -> dict[str, Any]:
    """Pack the archive of a release and return the options to install it in a folder."""
    content = folder / "packed" / f"kafka_2.13-{version}"
    (content / "libs").mkdir(parents=True, mode=0o700)
    (content / "libs/kafka.jar").touch(0o600)
    packed = folder / f".kafka-{version}.tgz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(content, content.name)
    return {
        "archive": str(packed),
        "checksum": hashlib.sha512(packed.read_bytes()).hexdigest(),
        "dest": str(folder / f"kafka-{version}"),
        "link": str(folder / "kafka"),
        "commands": {"kafka-topics": "kafka.TopicCommand"},
        "java": "/usr/bin/java",
    }


def modes(tree: Path) -> dict[str, str]:
    """Return the mode of a folder and all in it."""
    return {str(path.relative_to(tree)): oct(stat.S_IMODE(path.stat().st_mode)) for path in (tree, *tree.rglob("*"))}


READABLE = {
    ".": "0o755",
    ".installed": "0o644",
    "bin": "0o755",
    "bin/kafka-topics.sh": "0o755",
    "libs": "0o755",
    "libs/kafka.jar": "0o644",
}


def test_a_release_is_readable_whatever_the_umask(release: dict[str, Any]) -> None:
    assert run("kafka_release", umask=0o77, **release)["changed"]
    assert modes(Path(release["dest"])) == READABLE
    assert not run("kafka_release", umask=0o77, **release)["changed"]


def test_a_release_that_was_unpacked_unreadable_is_repaired(release: dict[str, Any]) -> None:
    run("kafka_release", **release)
    dest = Path(release["dest"])
    for path in (dest, dest / "bin"):
        path.chmod(0o700)
    assert run("kafka_release", check=True, **release)["changed"]
    assert modes(dest) != READABLE
    assert run("kafka_release", **release)["changed"]
    assert modes(dest) == READABLE


@pytest.mark.parametrize("form", ["sha512:{0}", "{0}  kafka_2.13-4.3.1.tgz\n", "kafka_2.13-4.3.1.tgz: {1}\n{2} \n"])
def test_a_checksum_is_taken_as_it_is_published(release: dict[str, Any], form: str) -> None:
    digest = release["checksum"]
    groups = [digest.upper()[start : start + 8] for start in range(0, 128, 8)]
    pasted = form.format(digest, " ".join(groups[:8]), " ".join(groups[8:]))
    assert run("kafka_release", **release | {"checksum": pasted})["changed"]


def releases(folder: Path) -> set[str]:
    """Return the names of what is in the folder of releases, but for the archives that the test packed."""
    return {path.name for path in folder.iterdir()} - {"packed"}


def test_the_release_before_is_kept_and_older_ones_go(tmp_path: Path) -> None:
    (tmp_path / "kafka-by-hand").mkdir()
    (tmp_path / ".kafka-4.0.9.tgz").touch()
    for version in ("4.1.1", "4.2.1", "4.3.1"):
        options = options_for(tmp_path, version)
        assert run("kafka_release", **options)["changed"]
        assert not run("kafka_release", **options)["changed"]
    assert releases(tmp_path) == {"kafka", "kafka.previous", "kafka-4.3.1", "kafka-4.2.1", "kafka-by-hand"}
    assert (tmp_path / "kafka.previous").readlink() == tmp_path / "kafka-4.2.1"


def test_a_release_that_a_process_still_runs_is_kept_until_it_ends(tmp_path: Path) -> None:
    run("kafka_release", **options_for(tmp_path, "4.1.1"))
    with subprocess.Popen(["cat", "-", f"{tmp_path}/kafka-4.1.1/libs/kafka.jar"], stdin=subprocess.PIPE):
        for version in ("4.2.1", "4.3.1"):
            options = options_for(tmp_path, version)
            run("kafka_release", **options)
        assert "kafka-4.1.1" in releases(tmp_path)
    assert run("kafka_release", **options)["changed"]
    assert "kafka-4.1.1" not in releases(tmp_path)


def test_every_release_that_was_installed_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kafka-by-hand").mkdir()
    for version in ("4.2.1", "4.3.1"):
        run("kafka_release", **options_for(tmp_path, version))
    link = str(tmp_path / "kafka")
    assert run("kafka_release", check=True, state="absent", link=link)["changed"]
    assert "kafka-4.3.1" in releases(tmp_path)
    assert run("kafka_release", state="absent", link=link)["changed"]
    assert releases(tmp_path) == {"kafka-by-hand"}
    assert not run("kafka_release", state="absent", link=link)["changed"]
