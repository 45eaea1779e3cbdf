"""The modules around the change of the authority at their edge: its folder, interrupted anywhere, and a node's."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from module_runner import run_module


class Pair:
    """A key and a certificate; authorities all have the same name, as the role's default makes them."""

    def __init__(self, signer: Pair | None = None, name: str = "Kafka certificate authority") -> None:
        self._key = generate_private_key(SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.pem = self.certificate(signer)

    def certificate(self, signer: Pair | None = None) -> str:
        """A certificate for this key, each time with other dates and another number."""
        by = signer or self
        made = (
            x509.CertificateBuilder()
            .subject_name(self._subject)
            .issuer_name(by._subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=100))
            .add_extension(x509.BasicConstraints(signer is None, None), True)
        )
        return made.sign(by._key, SHA256()).public_bytes(Encoding.PEM).decode()


OLD, NEW = Pair(), Pair()
ALONE = {"ca.crt": OLD.pem, "ca.key": OLD.key}
NEXT = {"next.crt": NEW.pem, "next.key": NEW.key}
FOLDERS = {
    "trust_both": ALONE | NEXT,
    "reissue": ALONE | NEXT | {"ca.crt": OLD.pem + NEW.pem},
    "finish": ALONE | NEXT | {"ca.crt": NEW.pem + OLD.pem},
    "abandon": ALONE | NEXT | {"ca.crt": OLD.pem + NEW.pem},
}
TRUSTED = {
    "trust_both": OLD.pem + NEW.pem,
    "reissue": NEW.pem + OLD.pem,
    "finish": NEW.pem,
    "abandon": OLD.pem,
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "ascii")
        (folder / name).chmod(0o600 if name.endswith(".key") else 0o644)
    return folder


def bring(folder: Path, change: str = "", *, check: bool = False, **options: Any) -> dict[str, Any]:
    return run_module("kafka_authority", check=check, dir=str(folder), change=change, **{"nodes": [], **options})


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("ascii") for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("change", FOLDERS)
def test_each_phase_tells_who_is_trusted_and_who_signs_with_which_key(tmp_path: Path, change: str) -> None:
    folder = lay(tmp_path / "ca", FOLDERS[change])
    answer = bring(folder, change)
    assert (answer["changed"], answer["make"], answer["trusted"]) == (True, "", TRUSTED[change])
    signer = OLD if change in ("trust_both", "abandon") else NEW
    assert answer["signer"] == signer.pem.strip()
    assert Path(answer["key"]).read_text("ascii") == signer.key
    former = "tls_former_authority_passphrase" if change == "trust_both" else "tls_authority_passphrase"
    assert answer["opened_by"] == former
    assert answer["phase"] == (change if change in ("trust_both", "reissue") else "")
    assert (folder / "ca.crt").read_text("ascii") == TRUSTED[change]
    for again in (change, ""):
        repeated = bring(folder, again)
        told = [key for key in answer if key not in ("changed", "next_step", "invocation")]
        assert {key: repeated[key] for key in told} == {key: answer[key] for key in told}
        assert repeated["changed"] is False


def test_an_authority_that_is_replaced_or_given_up_is_kept_in_retired(tmp_path: Path) -> None:
    for change, gone in (("finish", OLD), ("abandon", NEW)):
        folder = lay(tmp_path / change, FOLDERS[change])
        bring(folder, change)
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["ca.crt", "ca.key", "retired"]
        certificate, key = sorted((folder / "retired").iterdir())
        assert (certificate.suffix, certificate.read_text("ascii")) == (".crt", gone.pem)
        assert (key.suffix, key.read_text("ascii")) == (".key", gone.key)
        assert [stat.S_IMODE(path.stat().st_mode) for path in (folder / "retired", key)] == [0o700, 0o600]


@pytest.mark.parametrize("change", FOLDERS)
def test_in_check_mode_the_same_is_told_and_nothing_is_written(tmp_path: Path, change: str) -> None:
    folder = lay(tmp_path / "ca", FOLDERS[change])
    before = contents(folder)
    answer = bring(folder, change, check=True)
    assert (answer["changed"], answer["trusted"]) == (True, TRUSTED[change])
    assert contents(folder) == before
    assert bring(folder, "", check=True)["changed"] is False


def test_an_authority_is_asked_for_where_there_is_none_or_another_one_is_needed(tmp_path: Path) -> None:
    asked = [(bring(tmp_path / "none"), ""), (bring(lay(tmp_path / "ca", ALONE), "trust_both"), OLD.pem)]
    assert [(answer["make"], answer["changed"]) for answer, _ in asked] == [("ca", False), ("next", False)]
    assert [answer["trusted"] for answer, _ in asked] == [trusted for _, trusted in asked]
    assert [
        bring(tmp_path / name, change, check=True)["changed"] for name, change in (("none", ""), ("ca", "trust_both"))
    ] == [True] * 2
    assert not (tmp_path / "none").exists()


def test_an_authority_that_ends_soon_is_renewed_for_the_same_key_and_name(tmp_path: Path) -> None:
    folder = lay(tmp_path / "ca", ALONE)
    assert [bring(folder, within_days=days)["make"] for days in (99, 101)] == ["", "renewed"]
    renewed = OLD.certificate()
    lay(folder, {"renewed.crt": renewed})
    assert bring(folder, check=True)["trusted"] == OLD.pem
    answer = bring(folder)
    assert (answer["changed"], answer["trusted"], answer["signer"]) == (True, renewed, renewed.strip())
    assert contents(folder) == {"ca.crt": renewed, "ca.key": OLD.key}


def test_a_run_that_renewed_and_was_interrupted_is_finished_in_any_phase(tmp_path: Path) -> None:
    renewed = OLD.certificate()
    for change, files in FOLDERS.items():
        folder = lay(tmp_path / change, {**files, "renewed.crt": renewed})
        assert bring(folder, change)["trusted"] == TRUSTED[change].replace(OLD.pem, renewed)
        assert not (folder / "renewed.crt").exists()


def test_a_renewed_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    folder = lay(tmp_path / "ca", {**ALONE, "renewed.crt": NEW.pem})
    answer = bring(folder)
    assert answer["msg"].startswith(f"tls_authority_dir: {folder}/renewed.crt is not for the key and the name of the")
    assert contents(folder) == {**ALONE, "renewed.crt": NEW.pem}


class KilledError(BaseException):
    """What stands for SIGKILL."""


@contextmanager
def killed_at(operation: int) -> Iterator[None]:
    """End the module before the file operation of this number; what a killed process began to write stays."""
    done = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done > operation:
                raise KilledError
            return original(*args, **kwargs)

        return act

    with (
        patch.object(Path, "rename", counted(Path.rename)),
        patch.object(Path, "unlink", counted(Path.unlink)),
        patch.object(Path, "mkdir", counted(Path.mkdir)),
    ):
        yield


@pytest.mark.parametrize("change", FOLDERS)
def test_an_interrupted_run_loses_nothing_and_the_next_one_finishes_it(tmp_path: Path, change: str) -> None:
    reached, operation = 0, -1
    while not reached:
        operation += 1
        folder = lay(tmp_path / str(operation), FOLDERS[change])
        try:
            with killed_at(operation):
                bring(folder, change)
            reached = operation
        except KilledError:
            pass
        there = contents(folder).values()
        assert {OLD.key, NEW.key} <= {*there}
        assert all(any(pair.pem in text for text in there) for pair in (OLD, NEW))
        plain = bring(folder)  # Whatever was reached, who signs has its key.
        signer = OLD if OLD.pem.strip() == plain["signer"] else NEW
        assert Path(plain["key"]).read_text("ascii") == signer.key
        assert bring(folder, change)["trusted"] == TRUSTED[change]
        settled = {name for name in contents(folder) if not name.startswith((".", "retired/"))}
        assert settled == {"ca.crt", "ca.key", *(NEXT if change in ("trust_both", "reissue") else ())}
    assert reached >= (1 if change in ("trust_both", "reissue") else 5)


NODE = {"name": "kafka1", "signer": "", "trusted": []}


def test_a_phase_that_would_be_skipped_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = lay(tmp_path / "ca", ALONE)
    answer = bring(folder, "reissue")
    assert answer["failed"]
    assert answer["msg"].startswith("tls_authority_change: no change of the authority has begun; trust_both comes")
    assert contents(folder) == ALONE


def node_folder(folder: Path, trusted: str, signer: Pair | None) -> dict[str, Any]:
    """What is told of a node with these files."""
    files = {"truststore.pem": trusted} if trusted else {}
    if signer:
        own = Pair(signer, "kafka1")
        files["keystore.pem"] = own.key + own.pem
    told = run_module("kafka_trust_info", name="kafka1", dir=str(lay(folder, files)))
    assert told["changed"] is False
    return {key: told[key] for key in ("name", "trusted", "signer")}


def test_a_node_s_authorities_are_told_though_both_have_the_same_name(tmp_path: Path) -> None:
    both = node_folder(tmp_path / "one", OLD.pem + NEW.pem, NEW)
    assert len(both["trusted"]) == 2
    assert both["signer"] == both["trusted"][1]
    turned = node_folder(tmp_path / "other", NEW.pem + OLD.pem, NEW)
    assert (turned["trusted"], turned["signer"]) == (both["trusted"][::-1], both["signer"])
    assert node_folder(tmp_path / "alone", OLD.pem, NEW) == {**NODE, "trusted": both["trusted"][:1]}
    assert node_folder(tmp_path / "bare", "", None) == NODE


def test_an_authority_with_new_dates_is_the_same(tmp_path: Path) -> None:
    before, after = (node_folder(tmp_path / str(n), pem, OLD) for n, pem in enumerate((OLD.pem, OLD.certificate())))
    assert before == after
    folder = lay(tmp_path / "ca", {**ALONE, "ca.crt": OLD.certificate()})
    assert bring(folder, nodes=[before])["changed"] is False


def test_a_truststore_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    told = run_module("kafka_trust_info", name="kafka1", dir=str(lay(tmp_path / "node", {"truststore.pem": broken})))
    assert told["msg"].startswith(f"A certificate in {tmp_path}/node/truststore.pem cannot be read: ")
    answer = bring(lay(tmp_path / "ca", {**ALONE, "next.crt": broken}))
    assert answer["msg"].startswith(f"tls_authority_dir: a certificate in {tmp_path}/ca cannot be read: ")


@pytest.mark.parametrize(
    ("process", "refused"),
    [
        ({"digests": {"/etc/kafka/tls/truststore.pem": "now"}}, False),
        ({"digests": {"/etc/kafka/tls/truststore.pem": "before"}}, True),
        ({"digests": {}}, True),
        (None, False),
    ],
    ids=["started with what is there", "started before it", "started without it", "down"],
)
def test_a_process_that_was_started_with_other_files_holds_up_the_next_phase(
    tmp_path: Path, process: dict[str, Any] | None, refused: bool
) -> None:
    node = node_folder(tmp_path / "node", OLD.pem + NEW.pem, OLD)
    found = {"name": "kafka1", "process": process, "started_with": {"/etc/kafka/tls/truststore.pem": "now"}}
    answer = bring(lay(tmp_path / "ca", FOLDERS["reissue"]), "reissue", nodes=[node], processes=[found])
    assert ("a restart with the certificates that are there is due for kafka1" in answer.get("msg", "")) is refused
    assert answer.get("failed", False) is refused


def test_the_key_of_the_authority_that_is_to_be_replaced_has_the_former_passphrase(tmp_path: Path) -> None:
    folder = lay(tmp_path / "ca", ALONE)
    assert bring(folder, "trust_both", check=True)["opened_by"] == "tls_former_authority_passphrase"
    assert bring(folder, check=True)["opened_by"] == "tls_authority_passphrase"


def test_an_authority_whose_key_is_elsewhere_is_asked_for_and_never_made(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    for files, change, missing in (({}, "", "ca.crt"), ({"ca.crt": OLD.pem}, "trust_both", "next.crt")):
        lay(folder, files)
        before = contents(folder)
        for check in (True, False):
            answer = bring(folder, change, check=check, signed_elsewhere=True)
            assert answer["msg"] == (
                f"tls_signed_elsewhere: put the certificate of your authority into {folder}/{missing}, on the host that"
                " tls_authority_host names."
            )
        assert contents(folder) == before
    assert bring(folder, within_days=1000)["make"] == "renewed"
    assert bring(folder, within_days=1000, signed_elsewhere=True)["make"] == ""
    lay(folder, {"next.crt": NEW.pem})
    assert bring(folder, "trust_both", signed_elsewhere=True)["trusted"] == TRUSTED["trust_both"]
