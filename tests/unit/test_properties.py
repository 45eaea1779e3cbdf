"""What the role renders is what Java, and our own comparison with the running process, read back."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.properties import changed_keys, parse

PLUGIN = Path(__file__).parents[2] / "plugins/filter/kafka.py"


@pytest.fixture(scope="module", name="filters")
def load_filters() -> Mapping[str, Any]:
    spec = importlib.util.spec_from_file_location("kafka_filters", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.FilterModule().filters())


@given(properties=st.dictionaries(st.text(min_size=1), st.text()))
def test_rendered_properties_are_read_back_unchanged(filters: Mapping[str, Any], properties: dict[str, str]) -> None:
    assert parse(filters["to_properties"](properties)) == properties


def test_a_file_written_by_hand_is_read_as_java_reads_it() -> None:
    text = "# comment\n! comment\n\n a = 1 \nb:2\nc 3\nlong=one,\\\n    two\nempty=\nkey\npath=C\\:\\\\x\\u0041\n"
    expected = {"a": "1 ", "b": "2", "c": "3", "long": "one,two", "empty": "", "key": "", "path": "C:\\xA"}
    assert parse(text) == expected


def test_members_come_from_the_inventory_alone_whatever_the_order_of_hosts(filters: Mapping[str, Any]) -> None:
    hostvars = {
        "b": {"kafka_node_id": 2, "kafka_advertised_host": "192.0.2.2", "kafka_process_roles": ["broker"]},
        "a": {"kafka_node_id": "1"},
    }
    expected = [
        {"name": "a", "node_id": 1, "host": "a", "roles": ["broker", "controller"]},
        {"name": "b", "node_id": 2, "host": "192.0.2.2", "roles": ["broker"]},
    ]
    assert filters["kafka_members"](["b", "a"], hostvars) == filters["kafka_members"](["a", "b"], hostvars) == expected


@pytest.mark.parametrize("declared", [{}, {"kafka_node_id": ""}, {"kafka_node_id": None}, {"kafka_node_id": "one"}])
def test_a_host_without_a_node_id_is_named(filters: Mapping[str, Any], declared: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="kafka_node_id: b has none; give it a number of its own"):
        filters["kafka_members"](["a", "b"], {"a": {"kafka_node_id": 1}, "b": declared})


UNIT = """# {managed}
[Unit]
Description={description}
[Service]
# Why the limit is what it is.
Environment="CONFIG_SHA256={digest}"
LimitNOFILE={files}
TimeoutStopSec={stop}
[Install]
WantedBy=multi-user.target
"""
RENDERED = {"managed": "Ansible managed", "description": "Kafka", "digest": "", "files": "1000", "stop": "180"}


@pytest.mark.parametrize(
    "changes",
    [{"managed": "by another operator, 2027-01-01"}, {"description": "A broker"}, {"digest": "a:b"}, {"stop": "20"}],
)
def test_what_a_process_is_not_started_with_restarts_nothing(
    filters: Mapping[str, Any], changes: dict[str, str]
) -> None:
    digest = filters["unit_digest"]
    assert digest(UNIT.format(**RENDERED | changes)) == digest(UNIT.format(**RENDERED))


def test_what_a_process_is_started_with_changes_the_digest(filters: Mapping[str, Any]) -> None:
    digest = filters["unit_digest"]
    assert digest(UNIT.format(**RENDERED | {"files": "2000"})) != digest(UNIT.format(**RENDERED))


def test_comments_and_blank_lines_of_a_file_change_no_digest(filters: Mapping[str, Any]) -> None:
    digest = filters["text_digest"]
    assert digest("# managed by a\n\nroot=INFO\n") == digest("# managed by b\nroot=INFO")
    assert digest("root=INFO") != digest("root=WARN")


def test_the_keys_that_differ_are_named() -> None:
    assert changed_keys({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3", "d": "4"}) == ["b", "c", "d"]
    assert changed_keys({"a": "1"}, {"a": "1"}) == []
