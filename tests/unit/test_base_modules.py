"""How the modules for hosts read what a host says."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "plugins/modules"


def module(name: str) -> ModuleType:
    """Import an Ansible module, which stands in no package."""
    spec = importlib.util.spec_from_file_location(name, LIBRARY / f"{name}.py")
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize(
    ("text", "value"),
    [("60\n", "60"), ("4096\t131072\t33554432\n", "4096 131072 33554432"), ("always [madvise] never\n", "madvise")],
)
def test_a_kernel_value_is_read_as_it_would_be_written(tmp_path: Path, text: str, value: str) -> None:
    file = tmp_path / "value"
    file.write_text(text, encoding="ascii")
    assert module("kernel_values").in_force(file) == value


def test_only_a_fully_installed_package_counts() -> None:
    dpkg = "ufw installed\nxfsprogs config-files\nopenjdk-17-jre-headless half-configured\n"
    names = ["ufw", "xfsprogs", "openjdk-17-jre-headless", "unknown"]
    assert module("apt_packages").missing(names, dpkg) == names[1:]


def test_the_way_to_a_mount_point_is_passable_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        module("data_disk").make_mount_point(tmp_path / "srv/kafka")
    finally:
        os.umask(before)
    assert {oct((tmp_path / path).stat().st_mode & 0o777) for path in ("srv", "srv/kafka")} == {"0o755"}


@pytest.mark.parametrize(
    ("text", "enabled"), [("ENABLED=yes\nLOGLEVEL=low\n", True), ("#ENABLED=yes\nENABLED=no\n", False)]
)
def test_a_firewall_is_on_where_its_configuration_says_so(tmp_path: Path, text: str, enabled: bool) -> None:
    configuration = tmp_path / "ufw.conf"
    assert not module("host_probe").ufw_enabled(configuration)
    configuration.write_text(text, encoding="ascii")
    assert module("host_probe").ufw_enabled(configuration) == enabled
