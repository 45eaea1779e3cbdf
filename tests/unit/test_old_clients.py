"""What a broker's log tells of clients that a later release no longer serves, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.old_clients import (
    MARK,
    OldRequest,
    as_dicts,
    refusals,
    requests,
)


def line(deprecated: bool = True, **change: Any) -> str:
    """A line of a broker's request log, with the fields that Kafka 3.9 writes."""
    header = {"requestApiKey": 1, "requestApiVersion": 3, "correlationId": 7, "clientId": "billing"}
    header |= {"requestApiKeyName": "FETCH"} | ({"requestApiVersionDeprecated": True} if deprecated else {})
    told = {
        "isForwarded": False,
        "requestHeader": header | change.pop("header", {}),
        "request": {"topics": [{"topic": "a}{b"}]},
        "connection": "192.0.2.11:9092-192.0.2.1:51234-3",
        "principal": "User:ANONYMOUS",
        "clientInformation": {"softwareName": "unknown", "softwareVersion": "unknown"},
        **change,
    }
    text = json.dumps(told, separators=(",", ":"))
    return f"INFO Completed request:{text} (kafka.request.logger)"


BILLING = OldRequest("billing", "", "192.0.2.1", "User:ANONYMOUS", "FETCH v3")


def test_a_request_that_is_dropped_is_told_once_whoever_else_logs() -> None:
    lines = ["INFO Rolled new log segment", line(), line(header={"correlationId": 8}), line(deprecated=False)]
    assert requests(lines) == [BILLING]
    assert as_dicts(requests(lines)) == [
        {
            "client_id": "billing",
            "software": "",
            "address": "192.0.2.1",
            "principal": "User:ANONYMOUS",
            "request": "FETCH v3",
        }
    ]


def test_of_a_line_that_the_journal_has_split_the_first_part_is_enough() -> None:
    whole = line()
    first, second = whole[: whole.index('"request":')], whole[whole.index('"request":') :]
    assert requests([first, second]) == [OldRequest("billing", "", "", "", "FETCH v3")]


def test_a_line_without_a_whole_header_is_passed_over() -> None:
    whole = line()
    cut = whole[: whole.index(MARK) + len(MARK)]
    assert requests([cut, "", whole.replace("requestApiKeyName", "other"), f"{MARK} and nothing else"]) == []
    assert requests([whole.replace('"requestHeader":{', '"requestHeader":[{')]) == []
    # The next one is read all the same.
    assert requests([cut, whole]) == [BILLING]


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        ("192.0.2.11:9092-192.0.2.1:51234-3", "192.0.2.1"),
        ("192.0.2.11:9092-192.0.2.1:51234-0-3", "192.0.2.1"),
        ("2001:db8:0:0:0:0:0:11:9092-2001:db8:0:0:0:0:0:1:51234-3", "2001:db8:0:0:0:0:0:1"),
        ("nowhere", ""),
        ("", ""),
    ],
)
def test_the_clients_end_of_the_connection_is_told(connection: str, address: str) -> None:
    (found,) = requests([line(connection=connection)])
    assert found.address == address


def test_what_a_client_says_of_itself_is_told() -> None:
    (found,) = requests([line(clientInformation={"softwareName": "librdkafka", "softwareVersion": "0.11.6"})])
    assert found.software == "librdkafka 0.11.6"
    (found,) = requests([line(clientInformation={"softwareName": "librdkafka", "softwareVersion": "unknown"})])
    assert found.software == "librdkafka"


def test_a_principal_may_have_quotes_in_it() -> None:
    (found,) = requests([line(principal='User:CN="a, b"')])
    assert found.principal == 'User:CN="a, b"'


def test_a_line_may_lack_what_is_only_for_reading() -> None:
    text = '{"requestHeader":{"requestApiKeyName":"FETCH","requestApiVersion":0,"requestApiVersionDeprecated":true}}'
    assert requests([text]) == [OldRequest("", "", "", "", "FETCH v0")]


def test_each_client_is_refused_in_a_sentence() -> None:
    produces = OldRequest("billing", "", "192.0.2.1", "User:ANONYMOUS", "PRODUCE v2")
    other = OldRequest("", "sarama 1.0", "", "", "FETCH v0")
    assert refusals({"kafka2": [BILLING, produces], "kafka1": [BILLING, other], "kafka3": []}, "4.4.0") == [
        "kafka_version: 4.4.0 does not serve client without an id (sarama 1.0) at an unknown address, which sent"
        " FETCH v0 to kafka1.",
        "kafka_version: 4.4.0 does not serve client billing (User:ANONYMOUS) at 192.0.2.1, which sent FETCH v3 and"
        " PRODUCE v2 to kafka1 and kafka2.",
    ]
    assert refusals({"kafka1": []}, "4.4.0") == []


def test_a_client_that_says_who_it_is_is_named_with_it() -> None:
    named = OldRequest("a", "librdkafka 0.11.6", "192.0.2.1", "User:shop", "FETCH v3")
    (sentence,) = refusals({"kafka1": [named]}, "4.2.1")
    assert "client a (librdkafka 0.11.6, User:shop) at 192.0.2.1" in sentence
