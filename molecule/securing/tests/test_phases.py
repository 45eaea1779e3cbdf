"""From plaintext to passwords and ACLs under load, phase by phase: who is let in, and that nothing is lost.

Until the last phase the nodes' certificates are valid for about ten minutes, and each run renews them. With the last
two phases the private authority and a password are replaced, in the same runs of site.yml and one more. The clients
move from one run of the load harness to the next, which begins before the one before it ends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from live import BOOTSTRAP, BROKERS, LAB, ROOT, SITE, Run, host, listening, play, starts
from shown_certificates import Signer, answer_to
from story_run import end, killed, load

PHASES = ("listeners", "members", "authorizer", "acls", "closed")
# The runs that are killed half-way; CRUCIBLE_KILLED_IN="listeners acls" names other phases.
INTERRUPTED = "members"
KILLED_IN = os.environ.get("CRUCIBLE_KILLED_IN", INTERRUPTED).split()
SECURE = [f"{address}:9192" for address in BROKERS.values()]
STOCK_PASSWORD = "a-stocks-secret"  # noqa: S105 # A password of the lab.
EAGER_PASSWORD = "an-eager-ones-secret"  # noqa: S105 # That of a user with a quota.
NEXT_PASSWORD = "a-next-secret"  # noqa: S105 # The shop's, after its own.
NEXT_PASSPHRASE = "a-next-authoritys-secret"  # noqa: S105 # The new authority's.
# Where passwords are replaced, a listener offers two mechanisms: a user has a password for each.
MECHANISMS = {
    "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.secure.scram-sha-256.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
}
BESIDE = {"name": "shop", "password": NEXT_PASSWORD, "mechanism": "SCRAM-SHA-256"}
PKI = ROOT / f".lab/{LAB}/pki"
SHOP = "User:shop"


def password(name: str) -> str:
    """One that the lab has made."""
    return (ROOT / f".lab/{LAB}/passwords/{name}").read_text(encoding="utf-8").strip()


def declared(phase: str, shop: Sequence[Any] = ("{{ lab_shop }}",), **more: Any) -> dict[str, Any]:
    """What is declared in a phase besides the lab: topics with and without ACLs, a user with and one without."""
    return {
        "kafka_config": MECHANISMS,
        "tls_client_names": ["probe"],
        "kafka_security": "scram",
        "kafka_security_phase": phase,
        "kafka_topics": [
            {"name": "orders", "partitions": 3},
            {"name": "clicks", "partitions": 12},
            {"name": "guarded", "partitions": 1},
            {"name": "free", "partitions": 1},
        ],
        "kafka_users": [
            *shop,
            {"name": "stock", "password": STOCK_PASSWORD},
            {"name": "eager", "password": EAGER_PASSWORD},
        ],
        "kafka_quotas": [{"user": "eager", "producer_byte_rate": 1_000}],
        "further_acls": [
            *(
                {"principal": who, "resource_type": "topic", "name": "guarded", "operations": ["write", "describe"]}
                for who in (SHOP, "User:eager")
            ),
            {"principal": SHOP, "resource_type": "group", "name": "rotated-", "pattern_type": "prefixed"}
            | {"operations": ["read", "describe"]},
        ],
        "kafka_acls": "{{ lab_shop_acls + further_acls }}",
        **more,
    }


def login(user: str, secret: str, mechanism: str = "SCRAM-SHA-512", trusted: Path = PKI / "ca.crt") -> dict[str, str]:
    return {
        "bootstrap.servers": ",".join(SECURE),
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(trusted),
        "sasl.mechanisms": mechanism,
        "sasl.username": user,
        "sasl.password": secret,
    }


def answer(settings: dict[str, str], topic: str) -> str:
    """What comes of writing a record: `written`, `no ACL`, or `not let in`."""
    errors: list[KafkaError] = []
    told: dict[str, Any] = {"log_level": 0, "error_cb": errors.append}
    client = AdminClient({**told, **settings})
    while True:
        try:
            client.list_topics(timeout=1)
            break
        except KafkaException:
            client.poll(0)
            if {error.code() for error in errors} & {KafkaError._AUTHENTICATION, KafkaError._ALL_BROKERS_DOWN}:
                return "not let in"
    answers: list[KafkaError | None] = []
    producer = Producer({"log_level": 0, **settings})
    producer.produce(topic, "a probe", on_delivery=lambda error, _: answers.append(error))
    producer.flush(60)
    (error,) = answers
    if error is not None and error.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise KafkaException(error)
    return "no ACL" if error else "written"


def slowed_down() -> str:
    """Whether a user over its quota is throttled."""
    throttled: list[float] = []
    told = {"log_level": 0, "throttle_cb": lambda event: throttled.append(event.throttle_time)}
    producer = Producer({**told, **login("eager", EAGER_PASSWORD)})
    for _ in range(20):
        producer.produce("guarded", b"x" * 10_000)
    producer.flush(60)
    return "throttled" if max(throttled, default=0) > 0 else "not throttled"


def shown() -> dict[str, str]:
    """Keys and certificates that members' listeners have to take or to refuse; they are made when the authority is."""
    own = Signer(PKI, password("authority"))
    return {
        "without a certificate": "",
        "with one of the authority": own.sign("kafka1"),
        "with one of the authority for another name": own.sign("passer-by"),
        "with one of another authority": Signer().sign("kafka1"),
        "with one that has expired": own.sign("kafka1", expired=True),
    }


def probes(certificates: dict[str, str]) -> dict[str, str]:
    """Who is let in, and to what."""
    plaintext = {"bootstrap.servers": ",".join(BOOTSTRAP)}
    return {
        "plaintext": answer(plaintext, "guarded"),
        "user": answer(login("shop", password("shop")), "guarded"),
        "wrong password": answer(login("shop", "guessed"), "guarded"),
        "user without an ACL": answer(login("stock", STOCK_PASSWORD), "guarded"),
        "topic without an ACL": answer(login("stock", STOCK_PASSWORD), "free"),
        "user over its quota": slowed_down(),
        **{
            f"{listener} {how}": answer_to(pem, host("kafka1"), BROKERS["kafka2"], port)
            for listener, port in (("INTERNAL", 9094), ("CONTROL", 9193))
            for how, pem in certificates.items()
        },
    }


def rotated_probes(authorities: dict[str, Path], secret: str, mechanism: str) -> dict[str, str]:
    """Who is let in by whom it trusts, and the shop by each of its passwords."""
    found = {
        f"trusts the {name} one": answer(login("shop", secret, mechanism, file), "guarded")
        for name, file in authorities.items()
    }
    former, following = login("shop", password("shop")), login("shop", NEXT_PASSWORD, "SCRAM-SHA-256")
    return found | {"former password": answer(former, "guarded"), "next password": answer(following, "guarded")}


Shown = dict[tuple[str, int], tuple[str, datetime]]
"""The serial number of the certificate that each listener shows to OpenSSL, asked by a member, and when it ends."""


def shown_by_listeners() -> Shown:
    asked = "openssl s_client -connect {}:{} <<< '' 2> /dev/null | openssl x509 -noout -serial -enddate"
    found = {}
    for name, address in BROKERS.items():
        for port in (9192, 9094, 9193):
            lines = host("kafka1").check_output("bash -c %s", asked.format(address, port)).splitlines()
            serial, end = (line.partition("=")[2] for line in lines)
            found[name, port] = serial, datetime.strptime(end, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    return found


def proven_by(authority: Path) -> dict[tuple[str, int], bool]:
    """Whether this authority alone proves what each listener of the nodes shows to OpenSSL, asked by a member."""
    asked = 'echo | timeout 20 openssl s_client -connect {}:{} -CAfile <(echo "$0") 2>&1'
    member, pem = host("kafka1"), authority.read_text(encoding="ascii")
    found = {
        (name, port): member.run("bash -c %s %s", asked.format(address, port), pem).stdout
        for name, address in BROKERS.items()
        for port in (9192, 9094, 9193)
    }
    assert all("BEGIN CERTIFICATE" in told for told in found.values())
    return {listener: "Verification: OK" in told for listener, told in found.items()}


def with_secrets(files: Iterable[Path]) -> list[str]:
    """Those of the files that have a password which the lab has made."""
    secrets = [password(name).encode() for name in ("admin", "shop", "authority")]
    found = []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            continue  # A process that has ended, or a socket.
        if any(secret in content for secret in secrets):
            found.append(str(file))
    return found


# What is declared for the change of the authority, and of the password, in the runs that bring these phases.
ANOTHER = {"tls_authority_name": "Another authority", "tls_authority_passphrase": NEXT_PASSPHRASE}
REPLACED = {
    **ANOTHER,
    "tls_former_authority_passphrase": "{{ lookup('ansible.builtin.password', lab_passwords ~ '/authority') }}",
}
ROTATED: dict[str, dict[str, Any]] = {
    "acls": {**REPLACED, "tls_authority_change": "trust_both"},
    "closed": {**REPLACED, "tls_authority_change": "reissue", "shop": ["{{ lab_shop }}", BESIDE]},
}
SHORT_LIVED_IN = PHASES[:-1]
SHORT_S, RUNS = 600.0, 40
"""How long certificates are valid then: ten minutes, or so many times what a run takes here that is refused at once."""


def short_lived(refused_s: float) -> dict[str, Any]:
    """Declares such certificates; whatever was issued more than a second ago is renewed."""
    valid_s = max(SHORT_S, RUNS * refused_s)
    return {"tls_days": valid_s / 86400, "tls_renew_days": (valid_s - 1) / 86400, "kafka_health_certificate_days": 0}


FINISH: dict[str, Any] = {**ANOTHER, "tls_authority_change": "finish", "shop": [BESIDE]}
PROPERTIES = f"""
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={{}}
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="shop" \\
    password="{NEXT_PASSWORD}";
"""


@dataclass
class Story:
    """What was seen on the way."""

    at_once: Run
    skipped: Run
    after_the_kill: Run
    untouched: bool
    phases: dict[str, Run] = field(default_factory=dict)
    probed: dict[str, dict[str, str]] = field(default_factory=dict)
    processes: list[str] = field(default_factory=list)
    skipped_authority: Any = None
    rotated_probed: dict[str, dict[str, str]] = field(default_factory=dict)
    proven: dict[str, dict[tuple[str, int], bool]] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)
    former: Any = None
    moved: Any = None
    rotated: Any = None


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The whole way, once."""
    folder = tmp_path_factory.mktemp("loads")
    before, began = starts(), time.monotonic()
    at_once = play(SITE, **declared(""))
    dates = short_lived(time.monotonic() - began)
    found = Story(at_once, play(SITE, **declared("members")), Run(False, ""), starts() == before)
    former = load(folder / "former", BOOTSTRAP, "--group-prefix=former-")
    moved = rotated = None
    certificates: dict[str, str] = {}
    authorities = {name: folder / f"{name}.crt" for name in ("former", "new")}
    try:
        for phase in PHASES:
            if phase == "acls":
                shutil.copy(PKI / "ca.crt", authorities["former"])
                found.skipped_authority = play(SITE, **declared("authorizer"), tls_authority_change="reissue")
            if phase == PHASES[-1]:
                file = folder / "shop.properties"
                client: dict[str, Any] = {"client_user": "shop", "client_file": str(file)}
                written = play("playbooks/client_properties.yml", **declared("acls"), **client)
                assert written.ok, written.why
                moved = load(folder / "moved", SECURE, f"--client-config={file}")
                end(former)
                found.former = former
            arguments = declared(phase, **ROTATED.get(phase, {}), **(dates if phase in SHORT_LIVED_IN else {}))
            if phase in KILLED_IN:
                killed("Wait until it is safe to stop", 2, SITE, **arguments)
            if phase == INTERRUPTED:
                found.after_the_kill = play(SITE, **declared("authorizer"))
            found.phases[phase] = play(SITE, **arguments)
            assert found.phases[phase].ok, found.phases[phase].why
            found.shown[phase] = shown_by_listeners()
            certificates = certificates or shown()
            found.probed[phase] = probes(certificates)
            if phase == "acls":
                shutil.copy(PKI / "next.crt", authorities["new"])
            if phase in ROTATED:
                found.rotated_probed[phase] = rotated_probes(authorities, password("shop"), "SCRAM-SHA-512")
        assert moved is not None
        processes = [each for each in Path("/proc").iterdir() if each.name.isdecimal()]
        found.processes = with_secrets(each / file for each in processes for file in ("cmdline", "environ"))
        file = folder / "rotated.properties"
        file.touch(0o600)
        file.write_text(PROPERTIES.format(authorities["new"]), encoding="utf-8")
        rotated = load(folder / "rotated", SECURE, f"--client-config={file}", "--group-prefix=rotated-")
        end(moved)
        found.moved = moved
        found.phases["finish"] = play("playbooks/rotate_certificates.yml", **declared("closed", **FINISH))
        assert found.phases["finish"].ok, found.phases["finish"].why
        found.rotated_probed["finish"] = rotated_probes(authorities, NEXT_PASSWORD, "SCRAM-SHA-256")
        found.proven = {name: proven_by(file) for name, file in authorities.items()}
        while datetime.now(UTC) < max(until for _, until in found.shown[INTERRUPTED].values()):
            time.sleep(1)
        end(rotated)
        found.rotated = rotated
        yield found
    finally:
        for run in (former, moved, rotated):
            if run is not None and run.process.poll() is None:
                run.process.kill()


def test_a_phase_that_would_be_skipped_is_refused_before_anything_is_touched(story: Story) -> None:
    assert "kafka_security: kafka1, kafka2, kafka3 runs in plaintext. Declare kafka_security_phase" in (
        story.at_once.sentences
    )
    assert "members is more than one phase from what runs" in story.skipped.sentences
    assert "Declare listeners next." in story.skipped.sentences
    assert (story.at_once.ok, story.skipped.ok, story.at_once.changed, story.skipped.changed) == (False, False, 0, 0)
    assert story.untouched


def test_a_phase_that_was_cut_short_is_finished_before_the_next_one(story: Story) -> None:
    assert "Declare members next." in story.after_the_kill.sentences
    assert not story.after_the_kill.ok
    assert story.after_the_kill.changed == 0
    assert story.phases[INTERRUPTED].ok


EXPECTED = {
    "plaintext": ["written", "written", "written", "written", "not let in"],
    "user": ["written"] * 5,
    "wrong password": ["not let in"] * 5,
    "user without an ACL": ["written", "written", "no ACL", "no ACL", "no ACL"],
    "topic without an ACL": ["written", "written", "written", "no ACL", "no ACL"],
    "user over its quota": ["throttled"] * 5,
    "INTERNAL without a certificate": ["not let in"] * 5,
    "INTERNAL with one of the authority": ["no authorizer", "no authorizer", "permitted", "permitted", "permitted"],
    "INTERNAL with one of the authority for another name": [
        *("no authorizer", "no authorizer", "permitted", "refused", "refused"),
    ],
    "INTERNAL with one of another authority": ["not let in"] * 5,
    "INTERNAL with one that has expired": ["not let in"] * 5,
    "CONTROL without a certificate": ["not let in"] * 5,
    "CONTROL with one of the authority": ["no authorizer", "no authorizer", "permitted", "permitted", "permitted"],
    "CONTROL with one of the authority for another name": [
        *("no authorizer", "no authorizer", "permitted", "refused", "refused"),
    ],
    "CONTROL with one of another authority": ["not let in"] * 5,
    "CONTROL with one that has expired": ["not let in"] * 5,
}


@pytest.mark.parametrize("who", EXPECTED)
def test_each_is_let_in_or_refused_as_the_phase_says(story: Story, who: str) -> None:
    assert {phase: probed[who] for phase, probed in story.probed.items()} == dict(
        zip(PHASES, EXPECTED[who], strict=True)
    )


def test_certificates_of_minutes_are_renewed_by_each_run_before_they_end(story: Story) -> None:
    """The loads go on until after the end of those that were shown early on the way."""
    for phase in SHORT_LIVED_IN[1:]:
        reasons = re.findall(r"another certificate, because it expires in \d+\.\d hours", story.phases[phase].sentences)
        assert len(reasons) >= len(BROKERS), phase
    for phase, found in story.shown.items():
        by_node = {name: {found[name, port][0] for port in (9192, 9094, 9193)} for name in BROKERS}
        assert [len(serials) for serials in by_node.values()] == [1, 1, 1], phase
    serials = {serial for found in story.shown.values() for serial, _ in found.values()}
    assert len(serials) == len(PHASES) * len(BROKERS)


def test_an_authority_is_not_replaced_before_nodes_trust_the_new_one(story: Story) -> None:
    assert "no change of the authority has begun; trust_both comes before reissue." in story.skipped_authority.sentences
    assert (story.skipped_authority.ok, story.skipped_authority.changed) == (False, 0)


def test_while_authority_and_password_are_replaced_each_is_let_in_by_what_holds_then(story: Story) -> None:
    """Nodes show the former certificate until `reissue`; both passwords are valid between `closed` and `finish`."""
    expected = {
        "trusts the former one": ["written", "not let in", "not let in"],
        "trusts the new one": ["not let in", "written", "written"],
        "former password": ["written", "written", "not let in"],
        "next password": ["not let in", "written", "written"],
    }
    told = {who: [probed[who] for probed in story.rotated_probed.values()] for who in expected}
    assert (list(story.rotated_probed), told) == (["acls", "closed", "finish"], expected)


def test_afterwards_the_new_authority_alone_proves_each_listener_and_the_former_one_is_kept(story: Story) -> None:
    assert len(story.proven["new"]) == 9
    assert {name: set(found.values()) for name, found in story.proven.items()} == {"former": {False}, "new": {True}}
    assert sorted(path.name for path in PKI.iterdir()) == ["ca.crt", "ca.key", "clients", "retired"]
    assert [path.suffix for path in sorted((PKI / "retired").iterdir())] == [".crt", ".key"]
    proof = ["openssl", "verify", "-CAfile", str(PKI / "ca.crt"), str(PKI / "clients/probe.pem")]
    assert subprocess.run(proof, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("which", ["former", "moved", "rotated"])
def test_nothing_fails_or_is_lost_or_overtaken_meanwhile(
    story: Story, which: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    verdict = getattr(story, which).verdict
    record_testsuite_property(f"longest_gap_s of {which}", verdict["availability"]["longest_gap_s"])
    assert (verdict["produced"]["acknowledged"] > 0, verdict["produced"]["failed"]) == (True, 0)
    groups = {group["group"].removeprefix(f"{which}-"): group for group in verdict["groups"]}
    assert groups.keys() == {"warehouse-group", "analytics-group", "notification-group"}
    for group in groups.values():
        assert (group["lost"], group["reordered"], group["drained"]) == (0, 0, True)


def test_afterwards_nothing_is_open_nothing_changes_and_all_is_well(story: Story) -> None:
    assert story.phases["finish"].ok
    again = play(SITE, **declared("closed", shop=[BESIDE], **ANOTHER), kafka_health_open_access_fails=True)
    assert again.ok, again.why
    assert again.changed == 0
    assert "All is well." in again.sentences
    assert {name: listening(host(name)) for name in BROKERS} == {name: {22, 9094, 9192, 9193} for name in BROKERS}


@pytest.mark.parametrize("name", BROKERS)
def test_no_password_is_on_a_host(story: Story, name: str) -> None:
    assert story.phases[PHASES[-1]].ok
    on, read = host(name), "grep --recursive --files-with-matches --fixed-strings --text"
    for secret in (
        STOCK_PASSWORD,
        NEXT_PASSWORD,
        NEXT_PASSPHRASE,
        password("admin"),
        password("shop"),
        password("authority"),
    ):
        # What is there for certain shows that the search works.
        found = on.run(f"{read} -e %s -e process.roles= /etc /run/kafka", secret).stdout.splitlines()
        assert sorted(found) == ["/etc/kafka/server.properties", "/run/kafka/server.properties"]
        assert on.run(f"{read} -e %s /var/log /opt /tmp /root", secret).stdout == ""
        assert on.run("journalctl --quiet | grep --fixed-strings --text -e %s", secret).stdout == ""
        assert not any(secret in run.output for run in story.phases.values())


def test_no_password_is_on_the_admin_host_but_in_the_lab_s_own_files(story: Story) -> None:
    assert story.processes == []
    ansible = [Path.home() / ".ansible", ROOT / ".ansible"]
    results = [run.results for run in (story.former, story.moved, story.rotated)]
    walks = (os.walk(folder) for folder in (*ansible, ROOT / ".cache/log", *results))  # Others' files may come and go.
    files = [Path(folder) / name for walk in walks for folder, _, names in walk for name in names]
    assert files
    assert with_secrets(files) == []
    assert with_secrets([ROOT / f".lab/{LAB}/passwords/admin"]) != []
