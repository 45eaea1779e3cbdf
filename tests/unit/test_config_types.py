"""Values are compared as Kafka compares them: by the type of their key."""

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.config_types import same


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("BOOLEAN", "True", "true"),
        ("LIST", "compact, delete", "compact,delete"),
        ("DOUBLE", "1", "1.0"),
        ("DOUBLE", "1e-5", "1.0E-5"),
        ("INT", " 7", "7"),
        ("LONG", "0604800000", "604800000"),
        ("SHORT", "2", "+2"),
        ("CLASS", " com.example.A ", "com.example.A"),
        ("STRING", None, None),
    ],
)
def test_two_spellings_of_one_value_are_the_same(kind: str, one: str | None, other: str | None) -> None:
    assert same(kind, one, other)
    assert same(kind, other, one)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("BOOLEAN", "true", "false"),
        ("LIST", "compact,delete", "delete"),
        ("DOUBLE", "0.5", "0.51"),
        ("INT", "7", "x"),
        ("INT", "0", None),
        ("STRING", "True", "true"),
        ("STRING", "a", "a "),
        ("", "1", "1.0"),
    ],
)
def test_another_value_is_another_one(kind: str, one: str | None, other: str | None) -> None:
    assert not same(kind, one, other)
    assert not same(kind, other, one)
