"""Tries who is let in and with what, where secrets end up, and what happens to controllers on hosts of their own."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from kafka import KafkaAdminClient
from live import BOOTSTRAP, BROKERS, LAB, ROOT, SITE, Run, host, listening, play
from logged import errors, told, unexplained
from outgoing_certificates import Shown, shown_to

SCENARIO = ROOT / "molecule/secured"
VALUES = yaml.safe_load((SCENARIO / "vars/values.yml").read_text(encoding="utf-8"))
PKI = ROOT / ".lab" / LAB / "pki"
ADMIN_PASSWORD = VALUES["kafka_admin_password"]
SHOP = {
    "security.protocol": "SASL_SSL",
    "ssl.ca.location": str(PKI / "ca.crt"),
    "sasl.mechanisms": "PLAIN",
    "sasl.username": "shop",
    "sasl.password": VALUES["shop_password"],
}
CONTROLLERS = {f"controller{number}": f"10.97.{LAB}.{30 + number}" for number in (1, 2, 3)}
EVERYBODY = BROKERS | CONTROLLERS
VOTERS = {101, 102, 103}
GROWN = (ROOT / "inventory/dedicated", ROOT / "molecule/lifecycle/kafka4")  # With a fourth broker.
(QUOTA,) = VALUES["kafka_quotas"]
STOCK_LOGIN = {
    "sasl.mechanisms": "SCRAM-SHA-512",
    "sasl.username": "stock",
    "sasl.password": VALUES["stock_password"],
}


def read_back(server: str, record: str) -> Message | None:
    """Produce a record through one broker, and read it."""
    delivered: list[Message] = []
    producer = Producer({"bootstrap.servers": server, **SHOP})
    producer.produce("orders", record, on_delivery=lambda error, message: delivered.append(message))
    assert producer.flush(30) == 0
    (message,) = delivered
    consumer = Consumer({"bootstrap.servers": server, "group.id": "secured", **SHOP})
    consumer.assign([TopicPartition("orders", message.partition() or 0, message.offset() or 0)])
    found = consumer.poll(30)
    consumer.close()
    return found


@pytest.mark.parametrize("server", BOOTSTRAP)
def test_a_record_is_read_back_by_password_over_tls(server: str) -> None:
    found = read_back(server, f"through {server}")
    assert found is not None
    assert found.value() == f"through {server}".encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"sasl.password": "guessed"},
        {"security.protocol": "PLAINTEXT"},
        {"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"},
    ],
    ids=["a wrong password", "no TLS", "another authority"],
)
def test_whoever_comes_otherwise_is_not_let_in(changed: dict[str, str]) -> None:
    client = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0, **SHOP, **changed})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)


def refusal_of_a_record(login: dict[str, str]) -> int | None:
    """How Kafka answers who writes to the topic orders with this login: the error's code, None where it takes it."""
    errors: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0, **SHOP, **login})
    producer.produce("orders", "for the authorizer", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    (error,) = errors
    return error.code() if error else None


def refusal_of_a_member(login: dict[str, str]) -> int | None:
    """The same of who joins a group that reads the topic clicks, which everybody may know of."""
    consumer = Consumer({"bootstrap.servers": ",".join(BOOTSTRAP), "group.id": "secured", **SHOP, **login})
    consumer.subscribe(["clicks"])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    error = message.error()
    return error.code() if error else None


def test_a_user_without_an_acl_is_logged_in_and_refused() -> None:
    client = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0, **SHOP, **STOCK_LOGIN})
    assert client.list_topics(timeout=30).topics.keys() == {"clicks"}  # which kafka_acls shows to everybody
    assert refusal_of_a_record(STOCK_LOGIN) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert refusal_of_a_member(STOCK_LOGIN) == KafkaError.GROUP_AUTHORIZATION_FAILED
    assert refusal_of_a_record({}) is None


def throttle_times(client_id: str) -> list[float]:
    """For how long brokers say that they throttle the shop's client, which sends what a quota permits in 20 s."""
    told: list[float] = []
    settings = {"bootstrap.servers": ",".join(BOOTSTRAP), **SHOP, "client.id": client_id}
    producer = Producer({**settings, "throttle_cb": lambda event: told.append(event.throttle_time)})
    producer.produce("clicks", os.urandom(20 * QUOTA["producer_byte_rate"]), partition=0)
    assert producer.flush(30) == 0
    return [each for each in told if each > 0]


def test_a_client_over_its_quota_is_throttled_and_another_one_is_not() -> None:
    assert throttle_times(QUOTA["client_id"])
    assert throttle_times("within-no-quota") == []


@pytest.mark.parametrize(("name", "port"), [("kafka2", 9094), ("controller2", 9093)])
def test_a_member_without_a_certificate_is_not_let_in_by_members(name: str, port: int) -> None:
    asked = f"(sleep 1; echo) | timeout 5 openssl s_client -quiet -connect {EVERYBODY[name]}:{port} 2>&1"
    assert "alert certificate required" in host("kafka1").run(asked).stdout


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_host_is_one_of_both(name: str) -> None:
    kafka = {9092, 9094} if name in BROKERS else {9093}
    assert listening(host(name)) == {22} | kafka


@pytest.mark.parametrize("name", EVERYBODY)
def test_secrets_are_where_only_the_broker_reads_them(name: str) -> None:
    on = host(name)
    for folder in ("/etc/kafka", "/run/kafka"):
        secrets = on.file(f"{folder}/secrets.properties")
        assert (secrets.group, secrets.mode) == ("kafka", 0o640)
        assert VALUES["shop_password"] in secrets.content_string
    keystore = on.file("/etc/kafka/tls/keystore.pem")
    assert (keystore.user, keystore.group, keystore.mode) == ("root", "kafka", 0o640)
    assert "PRIVATE KEY" in keystore.content_string
    words = "--text -e admins-secret -e shops-secret -e stocks-secret -e authoritys-secret -e 'PRIVATE KEY'"
    folders = "/etc/kafka /etc/systemd /run/kafka /var/log"
    assert on.run(f"grep -rl --exclude=secrets.properties --exclude=keystore.pem {words} {folders}").stdout == ""
    assert on.run(f"journalctl --quiet | grep {words}").stdout == ""
    arguments = "for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $one; echo; done 2> /dev/null"
    assert on.run(f"({arguments}) | grep {words} | grep --text --invert-match 'grep --text'").stdout == ""


def test_the_authority_has_its_own_key_alone_encrypted() -> None:
    assert sorted(path.name for path in PKI.iterdir()) == ["ca.crt", "ca.key"]
    assert stat.S_IMODE((PKI / "ca.key").stat().st_mode) == 0o600
    assert (PKI / "ca.key").read_text("ascii").startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_no_second_authority_is_made_where_the_folder_is_lost(tmp_path: Path) -> None:
    values, dedicated = f"--extra-vars=@{SCENARIO}/vars/values.yml", ROOT / "inventory/dedicated"
    lost = tmp_path / "lost"
    run = play(SITE, values, "--tags=tls", inventory=dedicated, tls_authority_dir=str(lost))
    assert f"tls_authority_dir: {lost} has no authority, though nodes trust one." in run.sentences
    assert not run.ok
    assert not lost.exists()


def check_health(**extra: Any) -> Run:
    values, dedicated = f"--extra-vars=@{SCENARIO}/vars/values.yml", ROOT / "inventory/dedicated"
    return play("playbooks/check_health.yml", values, inventory=dedicated, **extra)


@pytest.fixture(scope="module")
def well() -> Run:
    """What check_health tells of the cluster as it was declared."""
    run = check_health()
    assert run.ok, run.why
    return run


@pytest.fixture(scope="module")
def unwell() -> Run:
    """The same where certificates must be valid longer, and as if a controller had been started without an authorizer.

    Nothing is restarted for that: what a process was started with is read from the copy that systemd made for it.
    """
    on, properties = host("controller2"), "/run/kafka/server.properties"
    on.check_output(f"cp --preserve {properties} {properties}.kept && sed -i '/^authorizer.class.name=/d' {properties}")
    try:
        run = check_health(kafka_health_certificate_days=31)
    finally:
        on.check_output(f"mv {properties}.kept {properties}")
    assert not run.ok
    return run


def test_each_tls_listener_shows_until_when_its_certificate_is_valid(well: Run, unwell: Run) -> None:
    """The certificates are made for 30 days; those of listeners that require one of their clients are told too."""
    told = re.findall(r"(\w+ of \w+) \(port \d+\): (?:29|30)\.\d days left", well.output)
    brokers = [f"{listener} of {name}" for name in BROKERS for listener in ("CLIENT", "INTERNAL")]
    assert sorted(told) == sorted([*brokers, *(f"CONTROLLER of {name}" for name in CONTROLLERS)])
    assert len(re.findall(r"The certificate of \w+ of \w+ \(port \d+\) expires in", unwell.sentences)) == len(told)


def test_who_may_do_what_is_told_and_a_forgotten_authorizer_is_not_well(well: Run, unwell: Run) -> None:
    for fact in (
        "Access: 6 of 6 nodes have an authorizer (StandardAuthorizer)",
        "For everybody, or everything on all names of a kind: User:*: allow describe topic clicks",
        "SCRAM users without an ACL of their own: stock",
    ):
        assert fact in well.sentences
    assert "All is well." in well.sentences
    assert "No authorizer runs on controller2, while one runs on " in unwell.sentences


@pytest.mark.parametrize("name", EVERYBODY)
def test_no_node_logged_an_error(name: str) -> None:
    on = host(name)
    assert len(on.file("/var/log/kafka/server.log").content_string.splitlines()) > 100
    lines = told(unexplained(errors(on)))
    assert not lines, "\n".join(lines)


def quorum() -> dict[str, Any]:
    """What an administrator is told of the controllers."""
    admin = KafkaAdminClient(
        bootstrap_servers=BOOTSTRAP,
        security_protocol="SASL_SSL",
        ssl_cafile=SHOP["ssl.ca.location"],
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username="admin",
        sasl_plain_password=ADMIN_PASSWORD,
    )
    told: dict[str, Any] = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
    admin.close()
    return told


def voters() -> dict[int, str]:
    """The directory id of each voter by node id."""
    return {voter["replica_id"]: str(voter["replica_directory_id"]) for voter in quorum()["current_voters"]}


def test_a_controller_that_lost_its_disk_gets_its_vote_again() -> None:
    before = voters()
    assert before.keys() == VOTERS
    run = play(
        "playbooks/fault.yml",
        f"--extra-vars=@{SCENARIO}/vars/values.yml",
        inventory=ROOT / "inventory/dedicated",
        fault="wipe_log_dir",
        fault_target="controller2",
        fault_injection_allowed=True,
    )
    assert run.ok, run.why
    after = voters()
    assert after.keys() == VOTERS
    assert {node for node in VOTERS if after[node] != before[node]} == {102}


def let_in(server: str, password: str, **further: str) -> bool:
    """Tell whether a broker lets the shop, or another user, in by this password."""
    client = AdminClient({"bootstrap.servers": server, "log_level": 0, **SHOP, **further, "sasl.password": password})
    try:
        client.list_topics(timeout=10)
    except KafkaException:
        return False
    return True


def serials() -> dict[str, str]:
    """The serial number of the certificate that each TLS listener shows, once the authority has proved it."""
    shown = {}
    for name, ports in {**dict.fromkeys(BROKERS, (9092, 9094)), **dict.fromkeys(CONTROLLERS, (9093,))}.items():
        address = EVERYBODY[name]
        for port in ports:
            trust = f"-CAfile /etc/kafka/tls/truststore.pem -verify_return_error -verify_ip {address}"
            asked = f"openssl s_client -connect {address}:{port} {trust} < /dev/null 2> /dev/null"
            # From a member: other hosts do not reach their ports.
            shown[f"{name}:{port}"] = host("kafka1").check_output(f"{asked} | openssl x509 -noout -serial")
    return shown


def test_a_changed_password_a_certificate_near_its_end_and_a_new_broker_take_effect_in_the_same_run() -> None:
    """The run restarts what has to have them, and names what has changed, never the password.

    The new broker is started when all others have it in their super users: until then they would refuse it.
    """
    values = f"--extra-vars=@{SCENARIO}/vars/values.yml"
    up = play("playbooks/lab/up.yml", values, inventory=GROWN)
    assert up.ok, up.why
    former, declared, former_serials = VALUES["shop_password"], "another-secret", serials()
    run = play(SITE, values, inventory=GROWN, shop_password=declared, tls_days=90, tls_renew_days=60)
    assert run.ok, run.why
    turns = re.findall(r"msg: '?(restart|rejoin), because", run.output)
    assert turns == ["restart"] * len(EVERYBODY) + ["rejoin"]
    assert "All is well." in run.sentences
    assert let_in(f"10.97.{LAB}.14:9092", declared)
    assert "the secret listener.name.client.plain.sasl.jaas.config changed" in run.sentences
    assert "/etc/kafka/tls/keystore.pem changed" in run.sentences
    assert "PRIVATE KEY" not in run.output
    assert declared not in run.output
    renewed = serials()
    assert renewed.keys() == former_serials.keys()
    assert {*renewed.values()} & {*former_serials.values()} == set()
    assert len({*renewed.values()}) == len(EVERYBODY)
    assert [let_in(server, declared) for server in BOOTSTRAP] == [True] * len(BOOTSTRAP)
    assert [let_in(server, former) for server in BOOTSTRAP] == [False] * len(BOOTSTRAP)


RAFT = "raft-client-"


def test_after_a_renewal_each_outgoing_channel_shows_the_new_certificate() -> None:
    """Brokers to each other and to the controllers, and nodes as clients of the quorum, which reload nothing."""
    renewed = {listener.partition(":")[0]: serial.partition("=")[2] for listener, serial in serials().items()}

    def to_brokers(shown: Shown) -> bool:
        return all(shown.get(address) for address in BROKERS.values())

    def to_controllers(shown: Shown) -> bool:
        clients = {name: shown.get(address, {}).keys() for name, address in EVERYBODY.items()}
        of_the_quorum = all(any(client.startswith(RAFT) for client in clients[name]) for name in EVERYBODY)
        return of_the_quorum and all(len(clients[name]) > 1 for name in BROKERS)

    for names, port, complete in ((BROKERS, 9094, to_brokers), (CONTROLLERS, 9093, to_controllers)):
        shown = shown_to([host(name) for name in names], port, complete)
        assert complete(shown), shown
        for name in names | BROKERS:
            assert set().union(*shown[EVERYBODY[name]].values()) == {renewed[name]}, name


STOCK = {"mechanism": "SCRAM-SHA-512", "name": "stock"}
STOCK_PASSWORD, NEXT_PASSWORD = VALUES["stock_password"], "the-next-stocks-secret"
OLD = {**STOCK, "password": STOCK_PASSWORD}
NEXT = {**STOCK, "mechanism": "SCRAM-SHA-256", "password": NEXT_PASSWORD}


def stock_let_in(password: str, mechanism: str) -> list[bool]:
    """Tell of each broker whether it lets the user stock in."""
    login = {"sasl.username": "stock", "sasl.mechanisms": mechanism}
    return [let_in(server, password, **login) for server in BOOTSTRAP]


def declare(*users: dict[str, str]) -> Run:
    """Run access.yml with these users; nothing that it prints has a password."""
    values = f"--extra-vars=@{SCENARIO}/vars/values.yml"
    run = play("playbooks/access.yml", values, "--diff", "-vvv", inventory=GROWN, kafka_users=list(users))
    assert run.ok, run.why
    assert "stocks-secret" not in run.output
    return run


def test_a_password_is_changed_with_both_valid_meanwhile() -> None:
    every, none = [True] * len(BOOTSTRAP), [False] * len(BOOTSTRAP)
    assert stock_let_in(STOCK_PASSWORD, "SCRAM-SHA-512") == every
    assert stock_let_in("guessed", "SCRAM-SHA-512") == none
    assert "+stock (SCRAM-SHA-256): new" in declare(OLD, NEXT).output
    assert stock_let_in(STOCK_PASSWORD, "SCRAM-SHA-512") == every
    assert stock_let_in(NEXT_PASSWORD, "SCRAM-SHA-256") == every
    assert declare(OLD, NEXT).changed == 0
    assert "-stock (SCRAM-SHA-512)" in declare(NEXT).output
    assert stock_let_in(STOCK_PASSWORD, "SCRAM-SHA-512") == none
    assert stock_let_in(NEXT_PASSWORD, "SCRAM-SHA-256") == every


def test_a_password_that_somebody_else_has_set_is_set_back() -> None:
    declare(NEXT)
    sha_256 = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    login = {"sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "admin", "sasl.password": ADMIN_PASSWORD}
    admin = {**SHOP, **login}
    client = AdminClient({"bootstrap.servers": BOOTSTRAP[0], **admin})
    asked = client.alter_user_scram_credentials([UserScramCredentialUpsertion("stock", sha_256, b"guessed")])
    asked["stock"].result(30)
    assert "somebody else has set it since" in declare(NEXT).sentences
    assert stock_let_in(NEXT_PASSWORD, "SCRAM-SHA-256") == [True] * len(BOOTSTRAP)


def test_the_record_of_passwords_has_none_and_is_roots_alone() -> None:
    [record] = [file for name in EVERYBODY if (file := host(name).file("/etc/kafka/users.json")).exists]
    assert (record.user, record.group, record.mode) == ("root", "root", 0o600)
    assert "stock" in record.content_string
    assert "secret" not in record.content_string
