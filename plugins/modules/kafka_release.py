#!/usr/bin/python
"""Installs a Kafka release so that it is there wholly or not at all, however the run that installs it ends."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_release
short_description: Install a Kafka release from an archive on the host
description:
  - The archive's checksum is compared first; then it is unpacked beside its place, and renamed into it.
  - An archive without C(bin/), as assembled from a Maven repository, gets the command line tools that users expect.
options:
  archive: {type: path, required: true, description: The .tgz. Needed until the release is installed and then removed.}
  checksum: {type: str, required: true, description: 'Its SHA-512, with or without C(sha512:) before it.'}
  dest: {type: path, required: true, description: The release's own directory.}
  link: {type: path, required: true, description: A link that always leads to the newest installed release.}
  commands: {type: dict, required: true, description: 'Command line tools: name without .sh, main class.'}
  java: {type: path, required: true, description: The Java that they run on.}
author: [Crucible]
"""

COMMAND = """#!/bin/sh
exec {java} -Xmx256m $KAFKA_OPTS -cp '{dest}/libs/*' {main} "$@"
"""


def sha512(path: Path) -> str:
    """Return a file's SHA-512 in hexadecimal."""
    digest = hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def install(module: AnsibleModule, archive: Path, dest: Path) -> None:
    """Unpack the archive into its place; whatever an earlier attempt left beside it is thrown away."""
    found = sha512(archive)
    if found != module.params["checksum"].lower().removeprefix("sha512:"):
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
    if not (unpacked / "bin").exists():
        (unpacked / "bin").mkdir()
        for name, main_class in module.params["commands"].items():
            command = unpacked / "bin" / f"{name}.sh"
            command.write_text(COMMAND.format(java=module.params["java"], dest=dest, main=main_class), encoding="utf-8")
            command.chmod(0o755)
    # Without this a power cut could leave the name in place and the files empty.
    os.sync()
    unpacked.rename(dest)
    archive.unlink()


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
            "archive": {"type": "path", "required": True},
            "checksum": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "link": {"type": "path", "required": True},
            "commands": {"type": "dict", "required": True},
            "java": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    archive, dest, link = (Path(module.params[name]) for name in ("archive", "dest", "link"))
    missing = not dest.is_dir()
    astray = not link.is_symlink() or link.readlink() != dest
    if not module.check_mode:
        if missing:
            install(module, archive, dest)
        if astray:
            switch(link, dest)
    module.exit_json(changed=missing or astray)


if __name__ == "__main__":
    main()
