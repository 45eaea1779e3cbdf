#!/usr/bin/python
"""Installs a Kafka release so that it is there wholly or not at all, however the run that installs it ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.checksum import sha512 as published_sha512

DOCUMENTATION = r"""
module: kafka_release
short_description: Install a Kafka release from an archive on the host
description:
  - The archive's checksum is compared first; then it is unpacked beside its place, and renamed into it if it holds the
    release that O(dest) is named after.
  - Everybody may read the release, whatever the host's umask or the modes in the archive.
  - The release that the link led to before is kept, as LINK.previous; older ones go once no process uses them.
  - An archive without C(bin/), as assembled from a Maven repository, gets the command line tools that users expect.
options:
  state:
    description: Whether the release is there. V(absent) removes every release beside O(link) that the module installed.
    type: str
    choices: [present, absent]
    default: present
  archive: {type: path, description: The .tgz. Needed until the release is installed and then removed.}
  checksum: {type: str, description: 'Its SHA-512, also as Apache publishes it.'}
  dest: {type: path, description: The release's own directory.}
  link: {type: path, required: true, description: A link that always leads to the newest installed release.}
  commands: {type: dict, description: 'Command line tools: name without .sh, main class.'}
  java:
    type: path
    description: The Java that the command line tools run on, unless JAVA_HOME names another. Ends in C(bin/java).
author: [Crucible]
"""

EXAMPLES = r"""
- name: Install the release
  crucible.kafka.kafka_release:
    archive: /opt/.kafka-4.3.1.tgz
    checksum: "{{ kafka_archive_checksum }}"
    dest: /opt/kafka-4.3.1
    link: /opt/kafka
    commands: {kafka-topics: org.apache.kafka.tools.TopicCommand}
    java: /usr/bin/java
"""

# Kafka's own scripts take the Java of JAVA_HOME, or else whatever java is in PATH; this line gives them ours.
RUN_CLASS = "bin/kafka-run-class.sh"
JAVA_HOME = ': "${{JAVA_HOME:={home}}}"  # kafka_java\n'
COMMAND_START = "#!/bin/sh\nexec "
COMMAND = (
    COMMAND_START
    + """{java} -Xmx256m $KAFKA_OPTS -cp '{dest}/libs/*' {main} "$@"
"""
)


CLIENT = "kafka-clients-"
"""The start of the name of an archive that each release has; its version and `.jar` follow."""

INSTALLED = ".installed"
"""In each release that this module installed: only those does it ever remove."""


def wanted_mode(mode: int) -> int:
    """Return the mode for a file or directory of the release: its owner's to write, everybody's to read."""
    return 0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644


def unreadable(release: Path) -> Iterator[Path]:
    """Yield what of a release has another mode than wanted_mode. Kafka's scripts make logs/, as whoever runs them."""
    for path in (release, *release.rglob("*")):
        mode = path.lstat().st_mode
        judged = not stat.S_ISLNK(mode) and path.relative_to(release).parts[:1] != ("logs",)
        if judged and stat.S_IMODE(mode) != wanted_mode(mode):
            yield path


def in_use(release: Path) -> bool:
    """Return whether a process was started from a release, which loads its classes only as it needs them."""
    mark = f"{release}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "cmdline").read_bytes():
                return True
        except OSError:  # It ended in between.
            continue
    return False


def all_of_them(link: Path, previous: Path) -> list[Path]:
    """Return every release beside `link` that this module installed, the links to them, and what attempts left."""
    links = [path for path in (link, previous) if path.is_symlink() and (path == previous or is_ours(path))]
    marked = {path for path in link.parent.glob(f"{link.name}-*") if (path / INSTALLED).exists()}
    return [*links, *sorted(marked | leftovers(link))]


def is_ours(link: Path) -> bool:
    """Return whether a link leads to a release that this module installed, or nowhere any more."""
    return not link.exists() or (link / INSTALLED).exists()


def leftovers(link: Path) -> set[Path]:
    """Return the archives and half-unpacked releases beside `link`."""
    return {path for path in link.parent.glob(f".{link.name}-*") if path.suffix in (".tgz", ".unpacking")}


def outdated(dest: Path, link: Path, previous: Path) -> list[Path]:
    """Return the releases and archives beside `dest` that are neither the one to run nor the one before it."""
    before = link.readlink() if link.is_symlink() else dest
    if before == dest:
        before = previous.readlink() if previous.is_symlink() else dest
    versions = link.parent.glob(f"{link.name}-*")
    releases = {path for path in versions if (path / INSTALLED).exists()} - {dest, before}
    needed = {dest.with_name(f".{dest.name}.tgz"), dest.with_name(f".{dest.name}.unpacking")}
    return sorted({path for path in releases if not in_use(path)} | leftovers(link) - needed)


def sha512(path: Path) -> str:
    """Return a file's SHA-512 in hexadecimal."""
    digest = hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def other_version(release: Path, version: str) -> str:
    """Return the version of an unpacked release by the client's classes in it, "" if it is this one or has none."""
    found = [jar.stem.removeprefix(CLIENT) for jar in release.glob(f"libs/{CLIENT}[0-9]*.jar")]
    return "" if version in found else ", ".join(found)


def install(module: AnsibleModule, archive: Path, dest: Path, link: Path) -> None:
    """Unpack the archive into its place; whatever an earlier attempt left beside it is thrown away."""
    found = sha512(archive)
    if found != published_sha512(module.params["checksum"]):
        archive.unlink()
        module.fail_json(
            msg=f"The archive is not the one that was declared: its SHA-512 is {found}, kafka_archive_checksum is"
            f" {module.params['checksum']}. Nothing was unpacked; check kafka_archive_url and kafka_archive_checksum."
        )
    unpacked = dest.with_name(f".{dest.name}.unpacking")
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    module.run_command(
        [
            "tar",
            "--extract",
            "--no-same-owner",
            "--strip-components=1",
            "--file",
            str(archive),
            "--directory",
            str(unpacked),
        ],
        check_rc=True,
    )
    if other := other_version(unpacked, dest.name.removeprefix(f"{link.name}-")):
        shutil.rmtree(unpacked)
        archive.unlink()
        module.fail_json(
            msg=f"The archive holds Kafka {other}, not the release of kafka_version. Nothing was installed; check"
            " kafka_archive_url, kafka_archive_checksum and kafka_version."
        )
    if not (unpacked / "bin").exists():
        (unpacked / "bin").mkdir()
        for name in module.params["commands"]:
            (unpacked / "bin" / f"{name}.sh").write_text(COMMAND_START, encoding="utf-8")
    write_launchers(launchers(unpacked, module.params["java"], module.params["commands"], dest))
    (unpacked / INSTALLED).write_text(f"{found}\n", encoding="ascii")
    make_readable(unpacked)
    # Without this a power cut could leave the name in place and the files empty.
    os.sync()
    unpacked.rename(dest)
    archive.unlink()


def launchers(release: Path, java: str, commands: Mapping[str, str], dest: Path) -> dict[Path, str]:
    """Return the files in bin/ that choose another Java than this one, each with the text that it should have.

    Args:
        release: Where the release is now.
        java: The path of java.
        commands: The tools that we write: name without .sh, main class.
        dest: Where the release will be.
    """
    script = release / RUN_CLASS
    if script.exists():
        first, *rest = script.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in rest if not line.endswith("  # kafka_java\n")]
        wanted = {script: "".join([first, JAVA_HOME.format(home=Path(java).parent.parent), *kept])}
    else:
        wanted = {
            release / "bin" / f"{name}.sh": COMMAND.format(java=java, dest=dest, main=main_class)
            for name, main_class in commands.items()
        }
    texts = {path: path.read_text(encoding="utf-8") for path in wanted if path.exists()}
    ours = {path for path, text in texts.items() if path == script or text.startswith(COMMAND_START)}
    return {path: text for path, text in wanted.items() if path in ours and texts[path] != text}


def write_launchers(texts: Mapping[Path, str]) -> None:
    """Write files that can be executed, each without a moment in which it is incomplete."""
    for path, text in texts.items():
        new = path.with_name(f".{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o755)
        new.rename(path)


def make_readable(release: Path) -> None:
    """Give everything of a release its mode."""
    for path in unreadable(release):
        path.chmod(wanted_mode(path.stat().st_mode))


def remove(path: Path) -> None:
    """Remove a release or an archive. A release that is removed only in part has the name of one that is incomplete."""
    if path.is_dir() and not path.is_symlink():
        unpacking = path if path.suffix == ".unpacking" else path.with_name(f".{path.name}.unpacking")
        path.rename(unpacking)
        shutil.rmtree(unpacking)
    else:
        path.unlink()


def switch(link: Path, dest: Path) -> None:
    """Let the link lead to the release, without a moment in which it leads nowhere."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(dest)
    new.rename(link)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "archive": {"type": "path"},
            "checksum": {"type": "str"},
            "dest": {"type": "path"},
            "link": {"type": "path", "required": True},
            "commands": {"type": "dict"},
            "java": {"type": "path"},
        },
        required_if=[("state", "present", ["archive", "checksum", "dest", "commands", "java"])],
        supports_check_mode=True,
    )
    link = Path(module.params["link"])
    previous = link.with_name(f"{link.name}.previous")
    if module.params["state"] == "absent":
        found = all_of_them(link, previous)
        for path in [] if module.check_mode else found:
            remove(path)
        before = "".join(f"{path}\n" for path in found)
        module.exit_json(changed=bool(found), diff={"before": before, "after": ""})
    if link.exists() and not link.is_symlink():
        module.fail_json(msg=f"{link} is no link, and the link to the release belongs there: move it to another name.")
    archive, dest = (Path(module.params[name]) for name in ("archive", "dest"))
    missing = not dest.is_dir()
    astray = not link.is_symlink() or link.readlink() != dest
    repaired = [] if missing else [str(path) for path in unreadable(dest)]
    outdated_java = {} if missing else launchers(dest, module.params["java"], module.params["commands"], dest)
    removed = outdated(dest, link, previous)
    if not module.check_mode:
        if missing:
            install(module, archive, dest, link)
        else:
            make_readable(dest)
            write_launchers(outdated_java)
        if astray and link.is_symlink():
            switch(previous, link.readlink())
        if astray:
            switch(link, dest)
        for path in removed:
            remove(path)
    module.exit_json(
        changed=missing or astray or bool(repaired or removed or outdated_java),
        diff={
            "before": "".join(f"{path}\n" for path in [*removed, *repaired]),
            "after": "".join(f"{path}, readable\n" for path in repaired)
            + "".join(f"{path}, with {module.params['java']}\n" for path in outdated_java)
            + (f"{dest}\n" if astray else ""),
        },
    )


if __name__ == "__main__":
    main()
