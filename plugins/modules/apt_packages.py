#!/usr/bin/python
"""Install Debian packages that are missing, at no cost when none is.

ansible.builtin.apt opens the whole package cache each time (half a second of CPU a host), cannot say in check mode what
it would install where no package lists were fetched yet, and either never fetches them or does so at every call.
"""

from __future__ import annotations

import re
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: apt_packages
short_description: Install Debian packages that are missing
description:
  - Package lists are fetched only when an installation fails without that.
  - Recommended packages are not installed.
  - While another process holds one of apt's locks, as on a host that has just booted, the module waits for it.
author: Crucible contributors
options:
  names:
    description: The packages.
    type: list
    elements: str
    required: true
  lock_timeout_s: {description: How long to wait for apt's locks in seconds., type: int, default: 300}
"""

EXAMPLES = r"""
- name: Install Java
  crucible.kafka.apt_packages:
    names: [openjdk-17-jre-headless]
"""

ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
APT = ["apt-get", "--quiet", "--assume-yes", "--no-install-recommends"]
# apt-get itself waits for dpkg's lock alone (DPkg::Lock::Timeout), not for those on its lists and archives.
LOCKED = re.compile(r"Could not get lock /.*")


def missing(names: list[str], dpkg: str) -> list[str]:
    """Return the names that are not installed, by the lines of `dpkg-query` (the package, a blank, its status)."""
    installed = {
        package for package, _, status in (line.partition(" ") for line in dpkg.splitlines()) if status == "installed"
    }
    return [name for name in names if name not in installed]


class Apt:
    """apt-get, which waits until `lock_timeout_s` after the module's start for locks that others hold."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._deadline = time.monotonic() + module.params["lock_timeout_s"]

    def run(self, *arguments: str) -> str:
        """Run a command of apt-get, and return why it failed, "" if it did not."""
        while True:
            # Package lists are for everybody to read, also where root's files are private.
            code, _, error = self._module.run_command([*APT, *arguments], umask=0o022)
            held = LOCKED.search(error) if code else None
            if not held:
                return error.strip() or f"exit status {code}" if code else ""
            if time.monotonic() > self._deadline:
                self._module.fail_json(
                    msg=f"apt was still in use after {self._module.params['lock_timeout_s']} s of waiting: {held[0]}."
                    " Let that process end, then run again."
                )
            time.sleep(1)


def main() -> None:
    """Ask dpkg, then install."""
    module = AnsibleModule(
        {
            "names": {"type": "list", "elements": "str", "required": True},
            "lock_timeout_s": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = ENVIRONMENT
    names = module.params["names"]
    # It exits with 1 when a package is unknown to it, which is as good as missing.
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
    absent = missing(names, module.run_command(query)[1])
    if absent and not module.check_mode:
        apt = Apt(module)
        if apt.run("install", *absent):
            error = apt.run("update") or apt.run("install", *absent)
            if error:
                module.fail_json(msg=f"apt could not install {', '.join(absent)}: {error}")
    module.exit_json(changed=bool(absent), diff={"before": "", "after": "".join(f"{name}\n" for name in absent)})


if __name__ == "__main__":
    main()
