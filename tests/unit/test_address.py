"""Host and port are one word that Kafka, ZooKeeper and kafka-python read back as the same host and port."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.address import bare, host_port, split_host_port
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker

HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5})?", fullmatch=True),
)


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("kafka1.example.com", "kafka1.example.com:9092"),
        ("192.0.2.1", "192.0.2.1:9092"),
        ("2001:db8::1", "[2001:db8::1]:9092"),
        ("[2001:db8::1]", "[2001:db8::1]:9092"),
        ("", ":9092"),
    ],
)
def test_an_ipv6_literal_is_bracketed_and_nothing_else_is(host: str, word: str) -> None:
    assert host_port(host, 9092) == word


def test_zookeepers_servers_have_two_ports() -> None:
    assert host_port("2001:db8::1", 2888, "3888") == "[2001:db8::1]:2888:3888"


@given(HOSTS, st.integers(1, 65535))
def test_it_is_read_back_as_it_was(host: str, port: int) -> None:
    assert split_host_port(host_port(host, port)) == (host, port)


@pytest.mark.parametrize(
    "text", ["kafka1", "kafka1:", "2001:db8::1", "2001:db8::1:9092", "kafka1:http", "kafka1:0", "kafka1:65536"]
)
def test_what_is_not_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not host:port .*65535"):
        split_host_port(text)


def test_brackets_are_taken_away_where_an_address_stands_alone() -> None:
    assert ipaddress.ip_address(bare("[2001:db8::1]")) == ipaddress.ip_address(bare("2001:db8::1"))


def test_a_broker_that_advertises_an_ipv6_literal_is_asked_by_a_usable_address() -> None:
    # Kafka's metadata has the literal without brackets.
    assert Broker(1, "2001:db8::1", 9092).address == "[2001:db8::1]:9092"
