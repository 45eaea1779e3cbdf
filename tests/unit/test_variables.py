"""Every variable has one type after it was judged, and nothing is added to what the user said."""

from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.variables import Variable, depends_on

LISTENERS = {
    "type": "list",
    "elements": "dict",
    "options": {
        "name": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "secure": {"type": "bool"},
    },
}


@pytest.mark.parametrize(
    ("option", "value", "converted"),
    [
        ({"type": "int"}, "1", 1),
        ({"type": "int"}, 1, 1),
        ({"type": "float"}, "1.5", 1.5),
        ({"type": "bool"}, "yes", True),
        ({"type": "str"}, 4.3, "4.3"),
        ({"type": "path"}, "~/java", "~/java"),
        ({"type": "list", "elements": "str"}, "kafka1,kafka2", ["kafka1", "kafka2"]),
        ({"type": "list", "elements": "int"}, ["1", 2], [1, 2]),
        ({"type": "dict"}, {"num.io.threads": "8"}, {"num.io.threads": "8"}),
        (LISTENERS, [{"name": "CLIENT", "port": "9092"}], [{"name": "CLIENT", "port": 9092}]),
        ({"type": "raw"}, "1", "1"),
    ],
)
def test_a_permitted_value_gets_the_declared_type(option: dict[str, Any], value: Any, converted: Any) -> None:
    variable = Variable("kafka_x", option)
    assert variable.error(value) is None
    result = variable.converted(value)
    assert (result, type(result)) == (converted, type(converted))


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ({"type": "int"}, "three", "unable to convert to int"),
        ({"type": "str", "choices": ["kraft", "zookeeper"]}, "raft", "must be one of: kraft, zookeeper"),
        (LISTENERS, [{"name": "CLIENT"}], "port"),
        (LISTENERS, [{"name": "CLIENT", "port": 1, "prot": 2}], "prot"),
        (LISTENERS, "CLIENT:9092", "dict"),
    ],
)
def test_a_value_that_the_declaration_does_not_permit_is_named(option: dict[str, Any], value: Any, words: str) -> None:
    assert words in (Variable("kafka_x", option).error(value) or "")


def test_a_variable_depends_on_facts_however_many_others_lie_between() -> None:
    raw = {
        "kafka_heap_mb": "{{ memory_mb // 4 }}",
        "memory_mb": "{{ ansible_facts['memtotal_mb'] }}",
        "kafka_listeners": [{"name": "CLIENT", "port": "{{ port }}"}],
        "port": 9092,
        "looped": "{{ looped_too }}",
        "looped_too": "{{ looped }}",
        "kafka_text": "ansible_facts without a template",
    }
    assert "ansible_facts" in depends_on("kafka_heap_mb", raw)
    assert depends_on("kafka_listeners", raw) == {"port"}
    assert depends_on("looped", raw) == {"looped", "looped_too"}
    assert depends_on("kafka_text", raw) == depends_on("no", raw) == set()
