"""Certificates of an authority whose key is elsewhere: requests go out, and a run goes on once they are answered."""

from __future__ import annotations

import grp
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from local_play import LOCAL, run_playbook
from signing import Authority

GROUP = grp.getgrgid(os.getgid()).gr_name
NAMES = ["DNS:kafka", "IP:192.0.2.11"]
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "any_errors_fatal": True,
        "tasks": [
            {
                "name": "Make a key and a request where another certificate is needed",
                "crucible.kafka.kafka_certificate_request": "{{ request }}",
                "register": "__tls_request",
            },
            {
                "name": "Have it signed, verify and install it",
                "ansible.builtin.include_role": {"name": "crucible.kafka.tls", "tasks_from": "issue"},
                "when": "__tls_request.request != ''",
            },
            {
                "name": "Tell whose requests have no answer yet",
                "ansible.builtin.include_role": {"name": "crucible.kafka.tls", "tasks_from": "require_certificates"},
            },
        ],
    }
]


@dataclass
class Lab:
    """Two hosts that are folders, and the authority's folder."""

    folder: Path
    authority: Authority

    @property
    def requests(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "authority/requests").iterdir())

    def answer(self, host: str) -> None:
        """Sign a host's request."""
        request = (self.folder / f"authority/requests/{host}.csr").read_text("ascii")
        certificate = self.authority.sign(request)
        (self.folder / f"authority/certificates/{host}.crt").write_text(certificate, "ascii")

    def keystore(self, host: str) -> str:
        path = self.folder / host / "keystore.pem"
        return path.read_text("ascii") if path.exists() else ""

    def run(self, **request: Any) -> tuple[bool, str]:
        """Ask for certificates; whether it succeeded, and what it said, on one line."""
        node = {
            "dir": f"{self.folder}/{{{{ inventory_hostname }}}}",
            "common_name": "{{ inventory_hostname }}",
            "names": NAMES,
        }
        variables = {
            "tls_signed_elsewhere": True,
            "tls_authority_host": "localhost",
            "tls_authority_python": sys.executable,
            "tls_authority_dir": str(self.folder / "authority"),
            "__tls_names": NAMES,
            "__tls_certificate": {**node, "group": GROUP},
            "request": {**node, "authority": self.authority.certificate, "renew_days": 30, **request},
        }
        return run_playbook(self.folder / "play.yml", self.folder / "hosts.yml", variables=variables)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Nothing but the authority's certificate is there."""
    inventory = {"all": {"hosts": {"kafka1": {}, "kafka2": {}}, "vars": LOCAL}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY), encoding="utf-8")
    authority = Authority(generate_private_key(65537, 2048))
    for host in ("kafka1", "kafka2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "truststore.pem").write_text(authority.certificate, "ascii")
    return Lab(tmp_path, authority)


def test_requests_go_out_and_certificates_come_in_at_first_and_when_they_are_renewed(lab: Lab) -> None:
    well, said = lab.run()
    assert not well
    assert "have the requests of kafka1, kafka2 signed" in said
    assert lab.requests == ["kafka1.csr", "kafka2.csr"]

    lab.answer("kafka1")
    well, said = lab.run()
    assert not well
    assert "have the requests of kafka2 signed" in said
    assert lab.requests == ["kafka2.csr"]
    assert "PRIVATE KEY" in lab.keystore("kafka1")
    assert lab.keystore("kafka2") == ""

    lab.answer("kafka2")
    well, said = lab.run()
    assert well, said
    assert "have the requests" not in said
    assert lab.requests == []
    former = lab.keystore("kafka2")
    assert "PRIVATE KEY" in former

    well, said = lab.run(renew_days=366)  # The files in certificates/ are for the former keys.
    assert well, said
    assert "have the requests of kafka1, kafka2 signed" in said
    assert lab.keystore("kafka2") == former


def test_a_file_that_is_no_certificate_is_named(lab: Lab) -> None:
    certificates = lab.folder / "authority/certificates"
    certificates.mkdir(parents=True)
    (certificates / "kafka2.crt").write_text("no certificate", "ascii")
    well, said = lab.run()
    assert not well
    assert f"{certificates}/kafka2.crt is no certificate in PEM" in said
