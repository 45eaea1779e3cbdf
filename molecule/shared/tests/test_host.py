"""Looks at each host from inside: what runs there, as whom, from which files, on which disk."""

import re

from live import HOSTS
from logged import errors, told, unexplained
from testinfra.host import Host

testinfra_hosts = HOSTS


def unit(host: Host, name: str, *properties: str) -> dict[str, str]:
    """Return properties of a unit, as systemd has them."""
    shown = host.check_output(f"systemctl show {name} --property={','.join(properties)}")
    return dict(line.split("=", 1) for line in shown.splitlines())


def test_nothing_on_the_host_has_failed(host: Host) -> None:
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""
    assert host.service("kafka").is_running
    assert host.service("kafka").is_enabled


def test_the_broker_is_a_confined_user_that_comes_back_after_a_failure(host: Host) -> None:
    shown = unit(host, "kafka", "MainPID", "User", "Restart", "NoNewPrivileges", "ProtectSystem")
    assert shown["User"] == "kafka"
    assert shown["Restart"] in ("on-failure", "always")
    assert (shown["NoNewPrivileges"], shown["ProtectSystem"]) == ("yes", "strict")
    assert host.file(f"/proc/{shown['MainPID']}").user == "kafka"


def test_little_of_the_host_is_exposed_to_the_broker(host: Host) -> None:
    told = host.check_output("systemd-analyze --no-pager security kafka.service").splitlines()[-1]
    assert float(told.partition("kafka.service:")[2].split()[0]) <= 2.0, told


def test_the_broker_may_open_files_for_many_partitions(host: Host) -> None:
    pid = unit(host, "kafka", "MainPID")["MainPID"]
    limit = re.search(r"Max open files +(\d+) +(\d+)", host.file(f"/proc/{pid}/limits").content_string)
    assert limit
    assert int(limit[1]) >= 16_384


def test_the_broker_runs_on_a_java_that_its_release_supports(host: Host) -> None:
    release = re.search(r"-(\d+)\.\d+\.\d+$", host.file("/opt/kafka").linked_to)
    java = re.search(r"openjdk (\d+)", host.check_output("java --version"))
    assert release
    assert java
    assert int(java[1]) >= (17 if int(release[1]) >= 4 else 11)


def test_the_kernel_has_its_declared_values_after_the_reboot_too(host: Host) -> None:
    lines = host.file("/etc/sysctl.d/90-os-tuning.conf").content_string.splitlines()
    declared = dict(re.split(r" *= *", line, maxsplit=1) for line in lines if re.match(r"[\w.]+ *=", line))
    assert declared
    assert {name: host.sysctl(name) for name in declared} == {
        name: int(value) if value.isdigit() else value.replace(" ", "\t") for name, value in declared.items()
    }


def test_settings_are_for_root_to_write_and_for_the_broker_to_read(host: Host) -> None:
    settings = host.file("/etc/kafka/server.properties")
    assert (settings.user, settings.group, settings.mode) == ("root", "kafka", 0o640)
    assert host.check_output("find /etc/kafka /opt/kafka/ -writable -user kafka") == ""
    assert host.check_output("find /etc/kafka /opt/kafka/ /var/lib/kafka -perm /o+w ! -type l") == ""


def test_the_data_disk_is_mounted_by_uuid_and_kafka_never_starts_without_it(host: Host) -> None:
    entries = [line.split() for line in host.file("/etc/fstab").content_string.splitlines()]
    (entry,) = (entry for entry in entries if entry[1:2] == ["/var/lib/kafka"])
    assert entry[0].startswith("UUID=")
    assert "nofail" not in entry[3].split(",")
    disk = host.mount_point("/var/lib/kafka")
    assert disk.exists
    assert disk.filesystem == "xfs"
    assert "noatime" in disk.options
    assert "/var/lib/kafka" in unit(host, "kafka", "RequiresMountsFor")["RequiresMountsFor"]


def test_neither_kafka_nor_zookeeper_logged_an_error(host: Host) -> None:
    assert host.check_output("journalctl --quiet --unit=kafka --priority=err") == ""
    assert len(host.file("/var/log/kafka/server.log").content_string.splitlines()) > 100
    lines = told(unexplained(errors(host)))
    assert not lines, "\n".join(lines)


# Fails for a tool whose class is in none of the release's archives; archives with bin/ have Kafka's own scripts.
CLASSES = """
import pathlib, re, sys, zipfile
jars = [zipfile.ZipFile(path) for path in pathlib.Path("/opt/kafka/libs").glob("*.jar")]
there = {name for jar in jars for name in jar.namelist()}
tools = {path.name: path.read_text().split()[-2] for path in pathlib.Path("/opt/kafka/bin").glob("*.sh")}
assert len(tools) > 20, tools
sys.exit(", ".join(name for name, main in tools.items() if main.replace(".", "/") + ".class" not in there) or 0)
"""


def test_each_command_line_tool_starts_a_class_that_the_release_has(host: Host) -> None:
    told = host.run("python3 -c %s", CLASSES)
    assert (told.rc, told.stderr) == (0, "")
