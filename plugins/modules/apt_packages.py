#!/usr/bin/python
"""Install Debian packages that are missing, at no cost when none is.

ansible.builtin.apt opens the whole package cache each time (half a second of CPU a host), cannot say in check mode what
it would install where no package lists were fetched yet, and either never fetches them or does so at every call.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: apt_packages
short_description: Install Debian packages that are missing
description:
  - Package lists are fetched only when an installation fails without that.
  - Recommended packages are not installed.
author: Crucible contributors
options:
  names:
    description: The packages.
    type: list
    elements: str
    required: true
"""

ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
APT = ["apt-get", "--quiet", "--assume-yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]


def missing(names: list[str], dpkg: str) -> list[str]:
    """Return the names that are not installed, by the lines of `dpkg-query` (the package, a blank, its status)."""
    installed = {
        package for package, _, status in (line.partition(" ") for line in dpkg.splitlines()) if status == "installed"
    }
    return [name for name in names if name not in installed]


def main() -> None:
    """Ask dpkg, then install."""
    module = AnsibleModule({"names": {"type": "list", "elements": "str", "required": True}}, supports_check_mode=True)
    module.run_command_environ_update = ENVIRONMENT
    names = module.params["names"]
    # It exits with 1 when a package is unknown to it, which is as good as missing.
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
    absent = missing(names, module.run_command(query)[1])
    if absent and not module.check_mode:
        install = [*APT, "install", *absent]
        code, _, error = module.run_command(install)
        if code:
            module.run_command([*APT, "update"], check_rc=True)
            code, _, error = module.run_command(install)
        if code:
            module.fail_json(msg=f"apt could not install {', '.join(absent)}: {error.strip()}")
    module.exit_json(changed=bool(absent), diff={"before": "", "after": "".join(f"{name}\n" for name in absent)})


if __name__ == "__main__":
    main()
