"""Each release gets the tools that it has, by the classes that are in it."""

from __future__ import annotations

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.command_line_tools import command_line_tools

TOOLS, ADMIN = "org.apache.kafka.tools.", "kafka.admin."


@pytest.mark.parametrize(
    ("release", "configs", "dump_log", "acls"),
    [
        ("3.9.2", f"{ADMIN}ConfigCommand", "kafka.tools.DumpLogSegments", f"{ADMIN}AclCommand"),
        ("4.0.1", f"{ADMIN}ConfigCommand", "kafka.tools.DumpLogSegments", f"{TOOLS}AclCommand"),
        ("4.2.1", f"{ADMIN}ConfigCommand", "kafka.tools.DumpLogSegments", f"{TOOLS}AclCommand"),
        ("4.3.1", f"{ADMIN}ConfigCommand", f"{TOOLS}DumpLogSegments", f"{TOOLS}AclCommand"),
        ("4.4.0", f"{TOOLS}ConfigCommand", f"{TOOLS}DumpLogSegments", f"{TOOLS}AclCommand"),
        ("a branch of one's own", f"{TOOLS}ConfigCommand", f"{TOOLS}DumpLogSegments", f"{TOOLS}AclCommand"),
    ],
)
def test_a_class_is_sought_where_the_release_has_it(release: str, configs: str, dump_log: str, acls: str) -> None:
    tools = command_line_tools(release)
    assert (tools["kafka-configs"], tools["kafka-dump-log"], tools["kafka-acls"]) == (configs, dump_log, acls)


@pytest.mark.parametrize(("release", "zookeeper"), [("3.9.2", True), ("4.0.0", False), ("4.4.0", False)])
def test_the_last_release_with_zookeeper_has_its_shell_and_no_share_groups(release: str, zookeeper: bool) -> None:
    tools = command_line_tools(release)
    assert ("zookeeper-shell" in tools) is zookeeper
    assert ("kafka-share-groups" in tools) is ("kafka-groups" in tools) is not zookeeper
    assert len(tools) == (21 if zookeeper else 22)
