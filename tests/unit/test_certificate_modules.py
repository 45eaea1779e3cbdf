"""The modules of certificates at their edge: a host's key, request and keystore, by the openssl of this machine."""

from __future__ import annotations

import grp
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from signing import Authority

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["DNS:kafka1", "IP:192.0.2.11"]
GROUP = grp.getgrgid(os.getgid()).gr_name
AUTHORITY, ANOTHER = Authority(), Authority()


def run(name: str, folder: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run a module for kafka1, and return its answer."""
    arguments = {"dir": str(folder), "common_name": "kafka1", "names": NAMES, **options, "_ansible_check_mode": check}
    done = subprocess.run(
        [sys.executable, ROOT / f"plugins/modules/{name}.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def ask(folder: Path, **options: Any) -> dict[str, Any]:
    """Ask for a request if one is needed."""
    return run("kafka_certificate_request", folder, **{"authority": AUTHORITY.certificate, "renew_days": 30, **options})


def install(folder: Path, certificate: str, **options: Any) -> dict[str, Any]:
    """Put a certificate into use."""
    return run("kafka_keystore", folder, certificate=certificate, group=GROUP, **options)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The folder of a node that trusts the authority and has made the request in `request`."""
    (tmp_path / "truststore.pem").write_text(AUTHORITY.certificate, "ascii")
    (tmp_path / "request").write_text(ask(tmp_path)["request"], "ascii")
    return tmp_path


@pytest.fixture
def served(node: Path) -> Path:
    """The folder of a node that has its certificate."""
    answer = install(node, AUTHORITY.sign((node / "request").read_text("ascii")))
    assert answer["changed"], answer
    return node


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_bare_node_gets_a_key_that_its_owner_alone_reads(node: Path) -> None:
    assert mode(node / "next.key") == 0o600
    assert "-----BEGIN PRIVATE KEY-----" in (node / "next.key").read_text("ascii")  # PKCS#8: Kafka reads no other.
    asked = x509.load_pem_x509_csr((node / "request").read_bytes())
    assert asked.subject.rfc4514_string() == "CN=kafka1"
    names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["kafka1", "192.0.2.11"]


def test_a_request_that_was_not_answered_is_made_again_for_the_same_key(node: Path) -> None:
    key = (node / "next.key").read_text("ascii")
    assert ask(node)["reasons"] == ["it has none"]
    assert (node / "next.key").read_text("ascii") == key


def test_key_and_certificate_are_in_one_file_that_others_cannot_read(served: Path) -> None:
    keystore = served / "keystore.pem"
    assert mode(keystore) == 0o640
    assert keystore.read_text("ascii").startswith("-----BEGIN PRIVATE KEY-----")
    assert "-----BEGIN CERTIFICATE-----" in keystore.read_text("ascii")
    assert sorted(path.name for path in served.iterdir()) == ["keystore.pem", "request", "truststore.pem"]


def test_a_node_with_a_good_certificate_is_left_alone(served: Path) -> None:
    answer = ask(served)
    assert (answer["changed"], answer["reasons"], answer["request"], answer["usable"]) == (False, [], "", True)
    assert not (served / "next.key").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"renew_days": 366}, "it expires in 36"),
        ({"names": [*NAMES, "DNS:shop.example.com"]}, "it does not cover DNS:shop.example.com"),
        ({"common_name": "kafka2"}, "its subject is CN=kafka1, not CN=kafka2"),
        ({"reissue": True}, "it was asked for"),
    ],
)
def test_a_certificate_is_renewed_with_a_new_key(served: Path, options: dict[str, Any], reason: str) -> None:
    before = (served / "keystore.pem").read_text("ascii")
    answer = ask(served, **options)
    [found] = answer["reasons"]
    assert found.startswith(reason)
    assert (served / "keystore.pem").read_text("ascii") == before
    assert (served / "next.key").read_text("ascii") not in before


def test_an_authority_that_the_host_trusts_is_none_of_the_clusters(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL looks into the host's own store, too, which has the authority of a whole company."""
    store = tmp_path / "store"
    store.mkdir()
    (store / "company.crt").write_text(AUTHORITY.certificate, "ascii")
    subprocess.run(["openssl", "rehash", store], check=True)
    monkeypatch.setenv("SSL_CERT_DIR", str(store))
    own = tmp_path / "own.crt"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(tmp_path / "own.key")]
    made = ["openssl", "req", "-x509", *key, "-subj", "/CN=of the cluster alone", "-out", str(own)]
    subprocess.run(made, check=True, capture_output=True)
    [reason] = ask(served, authority=own.read_text("ascii"))["reasons"]
    assert reason.startswith("the authority has not signed it")
    (served / "truststore.pem").write_text(own.read_text("ascii"), "ascii")
    assert not ask(served)["usable"]


def test_in_check_mode_nothing_is_made(tmp_path: Path, served: Path) -> None:
    assert ask(tmp_path / "none", check=True, authority="")["reasons"] == ["it has none"]
    answer = ask(served, check=True, renew_days=366)
    assert (answer["changed"], answer["request"]) == (True, "")
    assert not (served / "next.key").exists()


def test_a_certificate_of_another_authority_is_renewed(served: Path) -> None:
    (served / "truststore.pem").write_text(AUTHORITY.certificate + ANOTHER.certificate, "ascii")
    [reason] = ask(served, authority=ANOTHER.certificate)["reasons"]
    assert reason.startswith("the authority has not signed it (certificate signature failure")


def test_a_certificate_will_do_until_the_next_one_if_it_lacks_nothing_but_time(served: Path) -> None:
    assert ask(served, renew_days=366)["usable"]
    assert not ask(served, names=[*NAMES, "DNS:shop.example.com"])["usable"]
    assert not ask(served, common_name="kafka2")["usable"]
    (served / "truststore.pem").write_text(AUTHORITY.certificate + ANOTHER.certificate, "ascii")
    assert ask(served, authority=ANOTHER.certificate)["usable"]
    (served / "truststore.pem").write_text(ANOTHER.certificate, "ascii")
    assert not ask(served)["usable"]


def test_a_node_without_a_certificate_or_an_authority_has_none_that_will_do(node: Path, tmp_path: Path) -> None:
    assert not ask(node)["usable"]
    (tmp_path / "bare").mkdir()
    assert not ask(tmp_path / "bare")["usable"]


def refusal(node: Path, certificate: str, **options: Any) -> str:
    """Why a certificate is not put into use; nothing has changed then."""
    before = {path: path.read_bytes() for path in node.iterdir()}
    answer = install(node, certificate, **options)
    assert answer["failed"]
    assert {path: path.read_bytes() for path in node.iterdir()} == before
    return str(answer["msg"])


def test_what_would_not_work_is_refused_in_one_sentence(node: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    request = (node / "request").read_text("ascii")
    assert "the authority has not signed it (" in refusal(node, ANOTHER.sign(request))
    assert "it does not cover DNS:shop" in refusal(node, AUTHORITY.sign(request), names=[*NAMES, "DNS:shop"])
    assert "it would be valid longer than its authority" in refusal(node, AUTHORITY.sign(request, days=2000))
    assert "it has expired" in refusal(node, AUTHORITY.sign(request, days=0))
    elsewhere = ask(tmp_path_factory.mktemp("another"))["request"]
    assert refusal(node, AUTHORITY.sign(elsewhere)) == (
        "The certificate for kafka1 cannot be used: it is for another key than the node's."
    )
    assert "openssl x509" in refusal(node, "no certificate")


def test_no_key_is_in_an_answer(node: Path) -> None:
    key = (node / "next.key").read_text("ascii").splitlines()[1]
    answers = [ask(node), install(node, AUTHORITY.sign((node / "request").read_text("ascii")))]
    assert key not in json.dumps(answers)
