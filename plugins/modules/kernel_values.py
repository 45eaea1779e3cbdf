#!/usr/bin/python
"""Give values to files under /proc/sys and /sys, all of them in one call.

One task a value, as the module for sysctl alone needs it, would cost more than everything else that a second run does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: kernel_values
short_description: Give values to files under /proc/sys and /sys
description:
  - Writes what differs from what the kernel has, and fails when the kernel then says otherwise.
  - It says nothing of the next boot; see sysctl.d(5) and tmpfiles.d(5) for that.
author: Crucible contributors
options:
  sysctls:
    description: The value for each parameter, by its name in sysctl(8).
    type: dict
    required: true
  files:
    description: The value for each file, by its path.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Give the kernel its values
  crucible.kafka.kernel_values:
    sysctls: {vm.swappiness: 1, vm.max_map_count: 262144}
    files: {/sys/kernel/mm/transparent_hugepage/enabled: madvise}
"""


SYSCTLS = Path("/proc/sys")


def in_force(path: Path) -> str:
    """Return the value in force, of a choice such as `always [madvise] never` the one in brackets.

    Raises OSError for a file that cannot be read or that holds no value.
    """
    try:
        text = " ".join(path.read_text(encoding="ascii").split())
    except UnicodeDecodeError as error:
        raise OSError(f"{path} holds no plain text") from error
    chosen = re.search(r"\[(.+)\]", text)
    return chosen[1] if chosen else text


def takes(value: Any) -> bool:
    """Return whether this can be a value of the kernel's: YAML makes another type of `on`, `off` and of nothing."""
    return not isinstance(value, bool) and isinstance(value, int | float | str) and str(value).isascii()


def main() -> None:
    """Compare, write and read back."""
    dictionary = {"type": "dict", "required": True}
    module = AnsibleModule({"sysctls": dictionary, "files": dictionary}, supports_check_mode=True)
    paths = {str(SYSCTLS / name.replace(".", "/")): value for name, value in module.params["sysctls"].items()}
    paths |= module.params["files"]
    for name, value in paths.items():
        if not takes(value):
            module.fail_json(
                msg=f"{name}: {value!r} is no value for the kernel; write a number or plain text in quotes."
            )
    wanted = {Path(path): " ".join(str(value).split()) for path, value in paths.items()}
    try:
        before = {path: in_force(path) for path in wanted}
        differing = {path: value for path, value in wanted.items() if before[path] != value}
        if not module.check_mode:
            for path, value in differing.items():
                path.write_text(value, encoding="ascii")
                if in_force(path) != value:
                    module.fail_json(msg=f"{path} should be '{value}', but the kernel made '{in_force(path)}' of it.")
    except OSError as error:
        module.fail_json(msg=f"This kernel does not take a declared value: {error}; take its entry off the list.")
    module.exit_json(
        changed=bool(differing),
        diff={
            "before": "".join(f"{path} = {before[path]}\n" for path in differing),
            "after": "".join(f"{path} = {value}\n" for path, value in differing.items()),
        },
    )


if __name__ == "__main__":
    main()
