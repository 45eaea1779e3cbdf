"""Takes the README's five steps as a user does, word for word, and every later change on the same hosts."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import readme_user as user
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from live import LAB, Run, listening, state
from readme_user import ADDRESSES, BILLING, BILLING_ADDRESS, BROKERS, Edit, User, host

# Made by logging in and by sudo itself, before anything of a playbook runs; and what the second cluster writes.
MADE_BY_OTHERS = ("file /home/", "file /var/lib/sudo", "file /srv/kafka")
# What ansible.posix.mount does, which is not ours.
OF_THE_MOUNTS = "Passing `warnings` to `exit_json` or `fail_json` is deprecated."
FORMER, LATER = "a-shops-secret", "another-secret"
DATA = "/var/lib/kafka/data"
RECORDS = f"{sys.executable} {user.SCENARIO}/records.py"


@pytest.fixture(scope="module")
def commands() -> dict[str, str]:
    return user.commands()


@pytest.fixture(scope="module")
def at_checkout(tmp_path_factory: pytest.TempPathFactory, commands: dict[str, str]) -> User:
    """A user with a checkout, who has taken the first two steps."""
    made = user.checkout(tmp_path_factory.mktemp("checkout"))
    copied = made.run(commands["copy"])
    assert copied.ok, copied.output
    for edit in user.STEP_2:
        edit.make(made.place / "inventory/production")
    return made


@pytest.fixture(scope="module")
def inventory(at_checkout: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory after the third step, while the mirror serves."""
    made = at_checkout.place / "inventory/production"
    with user.mirror(tmp_path_factory.mktemp("mirror")) as (url, checksum, authority):
        for edit in user.step_3(url, checksum, authority):
            edit.make(made)
        yield made


@pytest.fixture(scope="module")
def by_password(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The options of a user of whom sudo asks a password: -K, without a terminal."""
    file = tmp_path_factory.mktemp("password") / "password"
    file.write_text(user.PASSWORD, encoding="utf-8")
    return "--extra-vars=ansible_user=operator", f"--become-password-file={file}"


@pytest.fixture(scope="module")
def with_collection(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user without a checkout, who has the collection, Ansible's own strategy and a sudo without a password."""
    return user.installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def site(commands: dict[str, str], inventory: Path) -> str:
    """The command of the fifth step, for somebody who has the collection and no checkout."""
    return commands["deploy"].replace("inventory/production", str(inventory)).replace("site.yml", "crucible.kafka.site")


@pytest.fixture(scope="module")
def deployed(with_collection: User, site: str) -> Run:
    """A deployment from the installed collection, while a host still updates its package lists."""
    script = (user.SCENARIO / "hold_apt_lock.py").read_text(encoding="utf-8")
    on = host(BROKERS[0])
    on.check_output("systemd-run --quiet --collect python3 -c %s", script)
    on.check_output("until test -e /run/apt-lock-held; do sleep 0.1; done")
    run = with_collection.run(site)
    assert run.ok, run.why
    return run


@contextmanager
def nothing_changes(on: Collection[str] = BROKERS) -> Iterator[None]:
    """Fail if anything on any of the hosts is another afterwards, but for what others make."""

    def seen(name: str) -> set[str]:
        return {line for line in state(host(name)) if not line.startswith(MADE_BY_OTHERS)}

    before = {name: seen(name) for name in on}
    yield
    changed = [f"{name} {line}" for name in on for line in sorted(before[name] ^ seen(name))]
    assert not changed, "\n".join(changed)


def servers(port: int) -> str:
    """Return where this machine, or a broker, is to find the brokers."""
    return ",".join(f"{address}:{port}" for address in ADDRESSES.values())


def answers(address: str, port: int) -> bool:
    """Tell whether this machine can connect; a look that costs the hosts nothing."""
    with suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


def admitted(name: str) -> set[int]:
    """Return the ports of Kafka that a host's firewall opens for somebody."""
    rules = host(name).check_output("iptables-save -t filter")
    return {port for port in (9092, 9093, 9095, 9192) if str(port) in rules}


def let_in(address: str, password: str) -> bool:
    """Tell whether a broker lets the shop in by this password."""
    errors: list[KafkaError] = []
    login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN", "sasl.username": "shop"}
    settings: dict[str, Any] = {"bootstrap.servers": f"{address}:9095", "error_cb": errors.append, "log_level": 0}
    client = AdminClient({**settings, **login, "sasl.password": password})
    for _ in range(60):
        try:
            client.list_topics(timeout=1)
        except KafkaException:
            client.poll(0)
        else:
            return True
        if KafkaError._AUTHENTICATION in [error.code() for error in errors]:
            return False
    return pytest.fail(f"{address} neither takes nor refuses the password: {errors}")


def test_the_hosts_are_hardened() -> None:
    """Else the tests below prove nothing."""
    for name in BROKERS:
        on = host(name)
        assert "noexec" in on.check_output("grep ' /tmp ' /proc/mounts")
        assert on.check_output("umask") == "0077"
        assert "13" in on.file("/etc/debian_version").content_string
        assert on.check_output("sshd -T | grep permitrootlogin") == "permitrootlogin no"


def test_looking_at_bare_hosts_tells_what_is_to_come_and_changes_nothing(
    at_checkout: User, inventory: Path, commands: dict[str, str], by_password: tuple[str, ...]
) -> None:
    with nothing_changes():
        run = at_checkout.run(commands["check"], *by_password)
    assert run.ok, run.why


def test_the_cluster_is_deployed_and_apts_locks_are_waited_for(deployed: Run) -> None:
    assert "All is well" in deployed.output
    assert host(BROKERS[0]).file("/run/apt-lock-met").exists
    assert [line for line in deployed.output.splitlines() if "[DEPRECATION" in line and OF_THE_MOUNTS not in line] == []


@pytest.mark.usefixtures("deployed")
def test_a_second_run_by_another_user_changes_nothing(
    at_checkout: User, commands: dict[str, str], by_password: tuple[str, ...]
) -> None:
    with nothing_changes():
        run = at_checkout.run(commands["deploy"], *by_password)
    assert run.ok, run.why
    assert run.changed == 0


@pytest.mark.usefixtures("deployed")
def test_records_of_every_codec_are_taken(at_checkout: User) -> None:
    tool = "JAVA_HOME= /opt/kafka/bin/kafka-topics.sh"
    host(BROKERS[0]).check_output(f"{tool} --bootstrap-server {BROKERS[0]}:9092 --create --topic codecs --partitions 3")
    run = at_checkout.run(f"{RECORDS} produce {servers(9092)} codecs")
    assert run.ok, run.output


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("name", BROKERS)
def test_no_mode_comes_from_the_hosts_umask(name: str) -> None:
    on = host(name)
    assert on.check_output("find /opt/kafka/ -not -path '*/logs*' -not -type l -not -perm -o=r") == ""
    assert on.file(DATA).mode == 0o750
    assert on.file("/etc/systemd/system/kafka.service").mode == 0o644


@pytest.mark.usefixtures("deployed")
def test_a_setting_a_data_directory_and_a_listener_reach_every_broker_by_one_run(
    at_checkout: User, inventory: Path, commands: dict[str, str], by_password: tuple[str, ...]
) -> None:
    for edit in (user.SETTING, user.SECOND_DIRECTORY, user.with_a_password(FORMER), user.ANOTHER_CLIENT):
        edit.make(inventory)
    run = at_checkout.run(commands["deploy"], *by_password)
    assert run.ok, run.why
    assert "All is well" in run.output
    for name, address in ADDRESSES.items():
        on = host(name)
        assert "log.retention.hours=169" in on.file("/run/kafka/server.properties").content_string
        assert on.file("/var/lib/kafka/more/meta.properties").exists
        assert let_in(address, FORMER)
        assert not let_in(address, LATER)


@pytest.fixture(scope="module")
def interrupted(deployed: Run, with_collection: User, inventory: Path, site: str) -> Run:
    """A run that moves a listener and changes a password, interrupted as soon as one broker has moved."""
    user.MOVED_LISTENER.make(inventory)
    Edit(user.KAFKA, FORMER, LATER).make(inventory)
    return with_collection.interrupt(site, lambda: any(answers(address, 9192) for address in ADDRESSES.values()))


def test_while_a_listener_moves_both_its_ports_are_open(interrupted: Run) -> None:
    moved = {name for name in BROKERS if 9192 in listening(host(name))}
    assert 0 < len(moved) < len(BROKERS), interrupted.why
    for name in BROKERS:
        assert admitted(name) == {9092, 9093, 9095, 9192}


@pytest.mark.usefixtures("interrupted")
def test_the_next_run_moves_the_listener_and_changes_the_password_everywhere(
    at_checkout: User, commands: dict[str, str]
) -> None:
    run = at_checkout.run(commands["deploy"])
    assert run.ok, run.why
    assert "All is well" in run.output
    assert LATER not in run.output
    for name, address in ADDRESSES.items():
        assert listening(host(name)) == {22, 9093, 9095, 9192}
        assert admitted(name) == {9093, 9095, 9192}
        assert let_in(address, LATER)
        assert not let_in(address, FORMER)


@pytest.mark.usefixtures("interrupted")
def test_health_is_judged_by_those_who_have_the_collection_alone(with_collection: User, inventory: Path) -> None:
    check_health = f"ansible-playbook -i {inventory} crucible.kafka.check_health --extra-vars=ansible_pipelining=false"
    healthy = with_collection.run(check_health)
    assert healthy.ok, healthy.why
    assert healthy.changed == 0
    assert "All is well" in healthy.output
    on = host(BROKERS[0])
    on.check_output("systemctl stop kafka")
    ill = with_collection.run(check_health)
    on.check_output("systemctl start kafka")
    assert not ill.ok
    assert "Not well:" in ill.output


@pytest.fixture(scope="module")
def two_clusters(interrupted: Run, at_checkout: User, inventory: Path, commands: dict[str, str]) -> Run:
    """The deployment of a second cluster of the inventory, which leaves the first one alone."""
    user.add_cluster(inventory)
    with nothing_changes():
        run = at_checkout.run(commands["deploy"], "--extra-vars=kafka_group=billing")
    assert run.ok, run.why
    return run


def test_a_second_cluster_of_the_inventory_is_deployed_by_itself(two_clusters: Run) -> None:
    assert "All is well" in two_clusters.output
    assert listening(host(BILLING)) == {22, 9093, 9095, 9192}
    formatted = (host(BILLING).file("/srv/kafka/meta.properties"), host(BROKERS[0]).file(f"{DATA}/meta.properties"))
    identities = [set(file.content_string.splitlines()) for file in formatted]
    assert "node.id=1" in identities[0] & identities[1]
    assert not [line for line in identities[0] & identities[1] if line.startswith("cluster.id=")]


UNINSTALL = "ansible-playbook -i inventory/production playbooks/uninstall.yml"
CONFIRMED = "--extra-vars=uninstall_confirm=yes"
NEEDED = "--extra-vars=uninstall_needed=yes"


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "confirm with -e uninstall_confirm=yes"),
        ([CONFIRMED], "the run would remove every broker of the cluster"),
        ([CONFIRMED, f"--limit={BROKERS[2]}"], "have a vote in the quorum (3)"),
    ],
    ids=["nobody confirmed it", "it is the whole cluster", "it is one of three controllers"],
)
def test_what_is_needed_is_not_removed(at_checkout: User, options: list[str], sentence: str) -> None:
    run = at_checkout.run(UNINSTALL, *options)
    assert not run.ok
    assert run.changed == 0
    assert sentence in run.sentences


@pytest.fixture(scope="module")
def uninstalled(interrupted: Run, at_checkout: User) -> None:
    """Hosts from which Kafka has been removed, but not its data; another cluster is left alone."""
    with nothing_changes([BILLING]):
        run = at_checkout.run(UNINSTALL, CONFIRMED, NEEDED)
    assert run.ok, run.why


@pytest.mark.usefixtures("uninstalled")
def test_kafka_is_uninstalled_and_its_data_is_kept() -> None:
    left = "ls -d /opt/kafka* /opt/.kafka* /etc/kafka /etc/systemd/system/kafka.service /etc/sysctl.d/90-os-tuning.conf"
    for name in BROKERS:
        on = host(name)
        assert on.file(f"{DATA}/meta.properties").exists
        assert on.run(left).stdout == ""
        assert admitted(name) == set()
        assert on.run("pgrep -u kafka").stdout == ""


@pytest.fixture(scope="module")
def own_playbook(inventory: Path) -> str:
    """The command for a playbook of the user's own (cluster.yml), which lists the collection's roles."""
    networks = json.dumps({"my_networks": [f"10.97.{LAB}.0/24"]})
    return f"ansible-playbook -i {inventory} cluster.yml --extra-vars='{networks}'"


@pytest.fixture(scope="module")
def deployed_again(uninstalled: None, with_collection: User, own_playbook: str) -> Run:
    """A deployment by a playbook of the user's own, on hosts that still have the data."""
    run = with_collection.run(own_playbook)
    assert run.ok, run.why
    return run


@pytest.mark.usefixtures("deployed_again")
def test_a_later_deployment_by_ones_own_playbook_finds_the_data(at_checkout: User) -> None:
    run = at_checkout.run(f"{RECORDS} count {servers(9192)} codecs")
    assert run.ok, run.output
    assert run.output == "500\n"


@pytest.mark.usefixtures("deployed_again")
def test_a_restart_that_ones_own_playbook_does_not_make_is_refused(
    with_collection: User, own_playbook: str, inventory: Path
) -> None:
    Edit(user.KAFKA, user.SETTING.new, user.SETTING.old).make(inventory)
    with nothing_changes():
        run = with_collection.run(own_playbook)
    assert not run.ok
    assert run.changed == 0
    assert "this playbook has no play that restarts nodes one at a time" in run.sentences


@pytest.mark.usefixtures("two_clusters", "deployed_again")
def test_data_goes_when_it_is_said(at_checkout: User) -> None:
    told = (CONFIRMED, NEEDED, "--extra-vars=uninstall_data=delete")
    run = at_checkout.run(UNINSTALL, *told)
    assert run.ok, run.why
    assert answers(BILLING_ADDRESS, 9192)
    again = at_checkout.run(UNINSTALL, *told)
    assert again.ok, again.why
    assert again.changed == 0
    for name in BROKERS:
        assert not host(name).file(DATA).exists
        assert not host(name).file("/var/lib/kafka/more").exists
        assert not host(name).user("kafka").exists
