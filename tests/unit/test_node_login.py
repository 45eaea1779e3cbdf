"""Nodes accept each other all along while a changed password reaches them one by one."""

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.node_login import options, unacceptable_logins

KEY = "listener.name.internal.plain.sasl.jaas.config"


def jaas(login: str = "", **users: str) -> str:
    name, _, password = login.partition(":")
    own = f'username="{name}" password="{password}" ' if login else ""
    return (
        f"org.apache.kafka.common.security.plain.PlainLoginModule required {own}"
        + " ".join(f'user_{user}="{secret}"' for user, secret in users.items())
        + ";"
    )


def test_the_options_of_a_jaas_text_are_read_quoted_or_not() -> None:
    assert options('a.b.Module required username=n password="a b;" user_n="a b;";') == {
        "username": "n",
        "password": "a b;",
        "user_n": "a b;",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (jaas(shop="old"), jaas(shop="new")),
        (jaas("node:a", node="a", shop="old"), jaas("node:a", node="a", shop="new")),
        (jaas("node:a", node="a"), jaas("node:a", node="a", other="b")),
        (jaas("node:a", node="a", other="b"), jaas("other:b", node="a", other="b")),
    ],
)
def test_a_password_of_clients_or_one_step_of_a_rotation_is_accepted(before: str, after: str) -> None:
    assert list(unacceptable_logins({KEY: before}, {KEY: after})) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (jaas("node:a", node="a"), jaas("node:b", node="b")),
        (jaas("node:a", node="a"), jaas("other:b", node="a", other="b")),
        (jaas("node:a", node="a", other="b"), jaas("other:b", other="b")),
    ],
)
def test_nodes_that_would_refuse_each_other_during_the_restart_are_found(before: str, after: str) -> None:
    assert list(unacceptable_logins({KEY: before}, {KEY: after})) == [KEY]
    assert list(unacceptable_logins({KEY: before}, {})) == []
    assert list(unacceptable_logins({"ssl.key.password": before}, {"ssl.key.password": after})) == []
