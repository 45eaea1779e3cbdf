"""Which certificate a node needs: its names, when it is renewed, and which one is refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.filter.certificates import kafka_certificate_names, kafka_store_files
from ansible_collections.crucible.kafka.plugins.module_utils.node_certificate import (
    DAY_S,
    EVERY_ADDRESS,
    PURPOSES,
    Certificate,
    Declared,
    alternative_names,
    parse,
    problems,
    renewal_reasons,
    setting_problems,
)

NOW_S = 1_800_000_000
NAMES = ["DNS:kafka1", "IP:192.0.2.11"]
GOOD = Certificate("CN=kafka1", frozenset(NAMES), PURPOSES, NOW_S, NOW_S + 100 * DAY_S)
DECLARED = Declared("kafka1", NAMES, 30)
PRINTED = """subject=CN=kafka1
notBefore=Jan  2 03:04:05 2027 GMT
notAfter=Feb 12 03:04:05 2027 GMT
X509v3 Subject Alternative Name: critical
    DNS:kafka1, DNS:kafka1.example.com, IP Address:192.0.2.11, IP Address:2001:DB8:0:0:0:0:0:B, email:me@example.com
X509v3 Extended Key Usage:\x20
    TLS Web Server Authentication, TLS Web Client Authentication
"""


def test_names_are_those_of_the_listeners_and_of_the_inventory() -> None:
    properties = {
        "listeners": "CLIENT://:9092,INTERNAL://10.0.0.11:9094,CONTROLLER://[2001:db8::b]:9093,WIDE://0.0.0.0:9095",
        "advertised.listeners": "CLIENT://Shop.example.com:19092,INTERNAL://10.0.0.11:9094,CONTROLLER://[2001:db8::b]:9093",
        "listener.security.protocol.map": "CLIENT:SSL,INTERNAL:SSL,CONTROLLER:SSL,WIDE:SSL",
    }
    names = kafka_certificate_names(properties, ["kafka1", "192.0.2.11", ""])
    assert names == ["DNS:kafka1", "DNS:shop.example.com", "IP:10.0.0.11", "IP:192.0.2.11", "IP:2001:db8::b"]


@given(st.integers(1, 2**128 - 1))
def test_an_ipv6_address_is_one_name_however_it_is_written(value: int) -> None:
    address = IPv6Address(value)
    spellings = [str(address), address.exploded, address.exploded.upper(), f"[{address}]", f"{address}%eth0"]
    assert alternative_names(spellings) == [f"IP:{address}"]


@pytest.mark.parametrize("every", ["", *EVERY_ADDRESS, "[::]"])
def test_every_address_is_no_name(every: str) -> None:
    assert alternative_names([every, "kafka1."]) == ["DNS:kafka1"]


def test_what_openssl_prints_is_read() -> None:
    found = parse(PRINTED)
    assert found.subject == "CN=kafka1"
    assert sorted(found.names) == ["DNS:kafka1", "DNS:kafka1.example.com", "IP:192.0.2.11", "IP:2001:db8::b"]
    assert found.purposes == {*PURPOSES}
    assert (found.starts_s, found.expires_s) == (1798859045, 1798859045 + 41 * DAY_S)


def test_a_certificate_without_extensions_has_neither_names_nor_purposes() -> None:
    found = parse("\n".join(PRINTED.splitlines()[:3]))
    assert (found.names, found.purposes) == (frozenset(), frozenset())


@pytest.mark.parametrize("line", [0, 1, 2])
def test_other_text_is_no_certificate(line: int) -> None:
    lines = PRINTED.splitlines()
    with pytest.raises(ValueError, match="OpenSSL does not tell"):
        parse("\n".join([*lines[:line], *lines[line + 1 :]]))


def reasons(now_s: float = NOW_S, chain_error: str = "", **changed: Any) -> list[str]:
    return list(renewal_reasons(replace(GOOD, **changed), DECLARED, chain_error, now_s))


def test_a_node_without_a_certificate_needs_one() -> None:
    assert list(renewal_reasons(None, DECLARED, "", NOW_S)) == ["it has none"]


def test_a_certificate_that_covers_more_and_is_valid_stays() -> None:
    assert reasons(names=[*NAMES, "DNS:former"]) == []
    assert reasons(NOW_S + 70 * DAY_S) == []


@pytest.mark.parametrize(
    ("now_s", "changed", "reason"),
    [
        (NOW_S + 70 * DAY_S + 1, {}, "it expires in 30.0 days"),
        (NOW_S + 98.5 * DAY_S, {}, "it expires in 1.5 days"),
        (GOOD.expires_s - DAY_S, {}, "it expires in 1.0 days"),
        (GOOD.expires_s - 9 * 3600, {}, "it expires in 9.0 hours"),
        (GOOD.expires_s, {}, "it expires in 0.0 hours"),
        (GOOD.expires_s + 1, {}, "it has expired"),
        (NOW_S, {"names": ["DNS:kafka1"]}, "it does not cover IP:192.0.2.11"),
        (NOW_S, {"names": []}, "it does not cover DNS:kafka1, IP:192.0.2.11"),
        (NOW_S, {"subject": "CN=kafka2"}, "its subject is CN=kafka2, not CN=kafka1"),
        (NOW_S, {"subject": "CN=kafka1,O=x"}, "its subject is CN=kafka1,O=x, not CN=kafka1"),
        (NOW_S, {"purposes": PURPOSES[:1]}, f"it is not for {PURPOSES[1]}"),
        (NOW_S, {"purposes": ()}, f"it is not for {PURPOSES[0]} and {PURPOSES[1]}"),
        (NOW_S, {"chain_error": "unable to get it"}, "the authority has not signed it (unable to get it)"),
    ],
)
def test_a_certificate_that_will_not_do_is_renewed(now_s: float, changed: dict[str, Any], reason: str) -> None:
    assert reasons(now_s, **changed) == [reason]


def refused(
    chain_error: str = "", own_key: bool = True, authority_s: float = GOOD.expires_s, **changed: Any
) -> list[str]:
    return list(problems(replace(GOOD, **changed), DECLARED, chain_error, own_key, authority_s, NOW_S))


def test_a_good_certificate_is_taken() -> None:
    assert refused() == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"chain_error": "unable to get it"}, "the authority has not signed it (unable to get it)"),
        ({"own_key": False}, "it is for another key than the node's"),
        ({"starts_s": NOW_S + 1}, "it is not valid yet; compare the clocks of the hosts"),
        ({"expires_s": NOW_S}, "it has expired"),
        (
            {"authority_s": GOOD.expires_s - 1},
            "it would be valid longer than its authority; set tls_days lower, or make a new authority",
        ),
        ({"names": ["IP:192.0.2.11"]}, "it does not cover DNS:kafka1"),
        ({"subject": "CN=kafka2"}, "its subject is CN=kafka2, not CN=kafka1"),
        ({"purposes": PURPOSES[1:]}, f"it is not for {PURPOSES[0]}"),
    ],
)
def test_a_certificate_that_would_not_work_is_refused(changed: dict[str, Any], problem: str) -> None:
    assert refused(**changed) == [problem]


def test_all_that_is_wrong_is_told_at_once() -> None:
    changed = {"starts_s": NOW_S + 2, "expires_s": NOW_S - 1, "names": [], "subject": "", "purposes": ()}
    assert len(refused("unknown", False, 0, **changed)) == 8


SETTINGS = {
    "tls_authority_dir": "/srv/ca",
    "passphrase_length": 8,
    "tls_days": 31,
    "tls_renew_days": 30,
    "tls_authority_days": 62,
    "signed_elsewhere": False,
    "client_names": ["shop"],
    "health_days": 14,
}


@pytest.mark.parametrize(
    "well",
    [
        {},
        {"tls_authority_dir": "~/ca"},
        {"tls_days": 0.25, "tls_renew_days": 0.125, "health_days": 0.2},
        {"signed_elsewhere": True, "client_names": [], "passphrase_length": 0, "tls_renew_days": 31, "health_days": 90},
    ],
)
def test_settings_that_can_work_are_taken(well: dict[str, Any]) -> None:
    assert list(setting_problems(SETTINGS | well, ["kafka1", "k" * 64])) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"tls_authority_dir": ""},
            "tls_authority_dir: name a folder on tls_authority_host, from / or ~, in which the private authority is"
            " kept; it is worth a backup.",
        ),
        (
            {"tls_authority_dir": "ca"},
            "tls_authority_dir: name a folder on tls_authority_host, from / or ~, in which the",
        ),
        ({"signed_elsewhere": True}, "tls_client_names: with tls_signed_elsewhere there is no key to sign with; put"),
        (
            {"tls_days": 0.25, "tls_renew_days": 0.5},
            "tls_renew_days: 0.5 is not less than tls_days, 0.25, so that each run would renew each certificate.",
        ),
        (
            {"tls_days": 14, "tls_renew_days": 7},
            "tls_days: certificates would be made for 14 days, and check_health fails for those that are valid for less"
            " than 14, with which each run ends. Set kafka_health_certificate_days lower, or tls_days higher.",
        ),
        ({"passphrase_length": 7}, "tls_authority_passphrase: it needs 8 characters or more; keep it in a vault."),
        (
            {"tls_renew_days": 31},
            "tls_renew_days: 31 is not less than tls_days, 31, so that each run would renew each certificate.",
        ),
        (
            {"tls_authority_days": 61},
            "tls_authority_days: 61 is not more than tls_days and tls_renew_days together, 61, so that each run would"
            " renew the authority's certificate.",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_named(wrong: dict[str, Any], sentence: str) -> None:
    [found] = setting_problems(SETTINGS | wrong, ["kafka1"])
    assert found.startswith(sentence)


def test_a_host_whose_name_is_no_subject_is_named() -> None:
    name = "k" * 65
    assert list(setting_problems(SETTINGS, ["kafka1", name])) == [
        f"tls_enabled: {name} is the subject of a certificate, which has room for 64 characters."
    ]


def test_files_are_those_that_properties_name() -> None:
    config = {
        "ssl.keystore.location": "/b",
        "listener.name.client.ssl.keystore.location": "/a",
        "listener.name.client.ssl.truststore.location": "/b",
        "ssl.truststore.location": None,
        "ssl.keystore.type": "PEM",
        "myssl.keystore.location": "/c",
        "ssl.keystore.location.x": "/d",
    }
    assert kafka_store_files(config) == ["/a", "/b"]
