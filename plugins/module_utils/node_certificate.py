"""Which certificate a node needs, and whether one that it has or is given will do.

Sources: RFC 5280 sections 4.2.1.6 (names) and 4.2.1.12 (purposes); what is parsed is the output of OpenSSL's x509.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

DAY_S = 86400
# A node serves others and is their client.
PURPOSES = ("TLS Web Server Authentication", "TLS Web Client Authentication")
EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 # Nothing is bound here.
# RFC 5280, appendix A.1: ub-common-name.
LONGEST_COMMON_NAME = 64


@dataclass(frozen=True)
class Certificate:
    """What is judged of a certificate; `names` are its alternative names as `alternative_names` writes them.

    `starts_s` and `expires_s` are seconds from 1970.
    """

    subject: str
    names: Collection[str]
    purposes: Collection[str]
    starts_s: int
    expires_s: int


@dataclass(frozen=True)
class Declared:
    """What a node's certificate has to say, and how many days before its end it is renewed."""

    common_name: str
    names: Collection[str]
    renew_days: float = 0


def alternative_names(hosts: Iterable[str]) -> list[str]:
    """Return names and addresses as OpenSSL takes them in subjectAltName, each once, in order.

    What stands for every address is none. IPv6 may come in brackets, with a zone, and written in any way.
    """
    plain = (str(host).removeprefix("[").removesuffix("]").partition("%")[0] for host in hosts)
    return sorted({_name(host) for host in plain if host not in EVERY_ADDRESS})


def _name(host: str) -> str:
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host.lower().removesuffix('.')}"


def parse(text: str) -> Certificate:
    """Return what `openssl x509 -noout -subject -nameopt RFC2253 -dates -ext subjectAltName,extendedKeyUsage` printed.

    Raises:
        ValueError: It printed something else.
    """
    lines = [line.strip() for line in text.splitlines()]
    fields = dict(line.partition("=")[::2] for line in lines if "=" in line)
    extensions = {
        head.partition(":")[0]: [item.strip() for item in items.split(",")]
        for head, items in pairwise(lines)
        if head.startswith("X509v3 ")
    }
    named = (name.partition(":")[::2] for name in extensions.get("X509v3 Subject Alternative Name", ()))
    try:
        return Certificate(
            fields["subject"],
            frozenset(alternative_names(value for kind, value in named if kind in ("DNS", "IP Address"))),
            frozenset(extensions.get("X509v3 Extended Key Usage", ())),
            int(ssl.cert_time_to_seconds(fields["notBefore"])),
            int(ssl.cert_time_to_seconds(fields["notAfter"])),
        )
    except KeyError as error:
        raise ValueError(f"OpenSSL does not tell {error} of it") from error


def renewal_reasons(found: Certificate | None, declared: Declared, chain_error: str, now_s: float) -> Iterator[str]:
    """Yield why a node needs another certificate than the one it has, in words that follow "because".

    Args:
        found: The one that it has; None for none.
        declared: What it has to say.
        chain_error: Why the authority's certificate does not prove it, "" if it does.
        now_s: Seconds from 1970.
    """
    if found is None:
        yield "it has none"
        return
    left_days = (found.expires_s - now_s) / DAY_S
    if left_days < 0:
        yield "it has expired"
    elif left_days < declared.renew_days:
        yield "it expires in " + (f"{left_days:.1f} days" if left_days >= 1 else f"{left_days * 24:.1f} hours")
    if chain_error:
        yield f"the authority has not signed it ({chain_error})"
    yield from _shortcomings(found, declared)


def problems(
    given: Certificate, declared: Declared, chain_error: str, own_key: bool, authority_expires_s: float, now_s: float
) -> Iterator[str]:
    """Yield why a node cannot use a certificate, in words that follow "the certificate cannot be used:".

    Args:
        given: The certificate.
        declared: What it has to say.
        chain_error: Why the authority's certificate does not prove it, "" if it does.
        own_key: Whether it is for the node's key.
        authority_expires_s: Until when its authority's certificate is valid, in seconds from 1970.
        now_s: Seconds from 1970.
    """
    if chain_error:
        yield f"the authority has not signed it ({chain_error})"
    if not own_key:
        yield "it is for another key than the node's"
    if given.starts_s > now_s:
        yield "it is not valid yet; compare the clocks of the hosts"
    if given.expires_s <= now_s:
        yield "it has expired"
    if given.expires_s > authority_expires_s:
        yield "it would be valid longer than its authority; set tls_days lower, or make a new authority"
    yield from _shortcomings(given, declared)


def _shortcomings(certificate: Certificate, declared: Declared) -> Iterator[str]:
    if certificate.subject != f"CN={declared.common_name}":
        yield f"its subject is {certificate.subject}, not CN={declared.common_name}"
    if missing := sorted({*declared.names} - {*certificate.names}):
        yield f"it does not cover {', '.join(missing)}"
    if lacking := [purpose for purpose in PURPOSES if purpose not in certificate.purposes]:
        yield f"it is not for {' and '.join(lacking)}"


def setting_problems(settings: Mapping[str, Any], hosts: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with the role's variables, each in a sentence that names the variable.

    Args:
        settings: The variables; of the passphrase only its length, as `passphrase_length`. `health_days` is
            kafka_health_certificate_days.
        hosts: The names of the hosts in the inventory.
    """
    if not str(settings["tls_authority_dir"]).startswith(("/", "~")):
        yield (
            "tls_authority_dir: name a folder on tls_authority_host, from / or ~, in which the private authority is"
            " kept; it is worth a backup."
        )
    yield from _elsewhere_problems(settings) if settings["signed_elsewhere"] else _own_problems(settings)
    for host in hosts:
        if len(host) > LONGEST_COMMON_NAME:
            yield f"tls_enabled: {host} is the subject of a certificate, which has room for 64 characters."


def _own_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["passphrase_length"] < 8:
        yield "tls_authority_passphrase: it needs 8 characters or more; keep it in a vault."
    if settings["tls_renew_days"] >= settings["tls_days"]:
        yield (
            f"tls_renew_days: {settings['tls_renew_days']:g} is not less than tls_days, {settings['tls_days']:g}, so"
            " that each run would renew each certificate."
        )
    elif settings["tls_authority_days"] <= (both := settings["tls_days"] + settings["tls_renew_days"]):
        yield (
            f"tls_authority_days: {settings['tls_authority_days']} is not more than tls_days and tls_renew_days"
            f" together, {both:g}, so that each run would renew the"
            " authority's certificate."
        )
    elif settings["tls_days"] <= settings["health_days"]:
        yield (
            f"tls_days: certificates would be made for {settings['tls_days']:g} days, and check_health fails for those"
            f" that are valid for less than {settings['health_days']:g}, with which each run ends. Set"
            " kafka_health_certificate_days lower, or tls_days higher."
        )


def _elsewhere_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["client_names"]:
        yield (
            "tls_client_names: with tls_signed_elsewhere there is no key to sign with; put clients' keys and"
            " certificates into clients/ of tls_authority_dir yourself."
        )
