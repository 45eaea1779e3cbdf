"""A passphrase that does not open the authority's key is refused before anything is signed or changed."""

from __future__ import annotations

import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from local_play import LOCAL, run_playbook
from self_signed import certificate, key

PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Judge the authority",
                "ansible.builtin.include_role": {"name": "crucible.kafka.tls", "tasks_from": "validate_authority"},
            }
        ],
    }
]


def judged(folder: Path, passphrase: str) -> tuple[bool, str]:
    """Judge the authority in a folder; whether it was taken, and what was said, on one line."""
    variables = {
        **LOCAL,
        "tls_authority_host": "localhost",
        "tls_authority_python": sys.executable,
        "tls_authority_dir": str(folder / "authority"),
        "tls_authority_passphrase": passphrase,
        "kafka_group": "all",
        "__tls_dir": str(folder / "node"),
    }
    play = folder / "play.yml"
    play.write_text(yaml.safe_dump(PLAY), encoding="utf-8")
    return run_playbook(play, "kafka1,", variables=variables)


def test_the_passphrase_has_to_open_the_key_that_signs(tmp_path: Path) -> None:
    right, wrong = "the right one", "another one"
    authority = tmp_path / "authority"
    authority.mkdir()
    encrypted = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(right.encode()))
    (authority / "ca.key").write_bytes(encrypted)
    der = certificate(datetime.now(UTC) + timedelta(days=4_000))
    (authority / "ca.crt").write_text(ssl.DER_cert_to_PEM_cert(der), "ascii")
    well, said = judged(tmp_path, right)
    assert well, said
    well, said = judged(tmp_path, wrong)
    assert not well
    assert f"tls_authority_passphrase: it does not open {authority}/ca.key, the key of the authority that" in said
    assert wrong not in said
    (authority / "ca.key").unlink()  # It is kept offline until something is to be signed.
    well, said = judged(tmp_path, wrong)
    assert well, said
