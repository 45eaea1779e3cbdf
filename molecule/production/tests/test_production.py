"""Takes the README's five steps as a user does, word for word, and every later change on the same hosts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import readme_user as user
from live import Run, state
from readme_user import BOOTSTRAP, BROKERS, KAFKA, Edit, User, host

# Made by logging in and by sudo itself, before anything of a playbook runs.
OF_THE_LOGIN = ("file /home/", "file /var/lib/sudo")
CHANGED = Edit(KAFKA, "log.retention.hours: 168", "log.retention.hours: 169")


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
def deployed(inventory: Path, commands: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A deployment from the installed collection, by Ansible's own defaults, while a host still updates its lists."""
    script = (user.SCENARIO / "hold_apt_lock.py").read_text(encoding="utf-8")
    on = host(BROKERS[0])
    on.check_output("systemd-run --quiet --collect python3 -c %s", script)
    on.check_output("until test -e /run/apt-lock-held; do sleep 0.1; done")
    made = user.installed(tmp_path_factory.mktemp("installed"))
    command = (
        commands["deploy"].replace("inventory/production", str(inventory)).replace("site.yml", "crucible.kafka.site")
    )
    return made.run(command)


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fail if anything on any host is another afterwards, but for what a login leaves."""

    def seen(name: str) -> set[str]:
        return {line for line in state(host(name)) if not line.startswith(OF_THE_LOGIN)}

    before = {name: seen(name) for name in BROKERS}
    yield
    changed = [f"{name} {line}" for name in BROKERS for line in sorted(before[name] ^ seen(name))]
    assert not changed, "\n".join(changed)


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
    assert deployed.ok, deployed.why
    assert "All is well" in deployed.output
    assert host(BROKERS[0]).file("/run/apt-lock-met").exists
    assert "[DEPRECATION WARNING]" not in deployed.output


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
    admin = host(BROKERS[0])
    tool = "JAVA_HOME= /opt/kafka/bin/kafka-topics.sh"
    admin.check_output(f"{tool} --bootstrap-server {BROKERS[0]}:9092 --create --topic codecs --partitions 3")
    run = at_checkout.run(f"{sys.executable} {user.SCENARIO}/produce.py {','.join(BOOTSTRAP)} codecs")
    assert run.ok, run.output


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("name", BROKERS)
def test_no_mode_comes_from_the_hosts_umask(name: str) -> None:
    on = host(name)
    assert on.check_output("find /opt/kafka/ -not -path '*/logs*' -not -type l -not -perm -o=r") == ""
    assert on.file("/var/lib/kafka/data").mode == 0o750
    assert on.file("/etc/systemd/system/kafka.service").mode == 0o644


@pytest.mark.usefixtures("deployed")
def test_a_changed_setting_reaches_every_broker(at_checkout: User, inventory: Path, commands: dict[str, str]) -> None:
    CHANGED.make(inventory)
    run = at_checkout.run(commands["deploy"])
    assert run.ok, run.why
    assert "All is well" in run.output
    for name in BROKERS:
        assert "log.retention.hours=169" in host(name).file("/run/kafka/server.properties").content_string


UNINSTALL = "ansible-playbook -i inventory/production playbooks/uninstall.yml"
CONFIRMED = "--extra-vars=uninstall_confirm=yes"


@pytest.mark.usefixtures("deployed")
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


@pytest.mark.usefixtures("deployed")
def test_kafka_is_uninstalled_and_its_data_is_kept(at_checkout: User) -> None:
    run = at_checkout.run(UNINSTALL, CONFIRMED, "--extra-vars=uninstall_needed=yes")
    assert run.ok, run.why
    left = "ls -d /opt/kafka* /opt/.kafka* /etc/kafka /etc/systemd/system/kafka.service /etc/sysctl.d/90-os-tuning.conf"
    for name in BROKERS:
        on = host(name)
        assert on.file("/var/lib/kafka/data/meta.properties").exists
        assert on.run(left).stdout == ""
        assert "9092" not in on.check_output("iptables-save")
        assert on.run("pgrep -u kafka").stdout == ""


@pytest.mark.usefixtures("deployed")
def test_data_goes_when_it_is_said(at_checkout: User) -> None:
    told = (CONFIRMED, "--extra-vars=uninstall_needed=yes", "--extra-vars=uninstall_data=delete")
    run = at_checkout.run(UNINSTALL, *told)
    assert run.ok, run.why
    again = at_checkout.run(UNINSTALL, *told)
    assert again.ok, again.why
    assert again.changed == 0
    for name in BROKERS:
        assert not host(name).file("/var/lib/kafka/data").exists
        assert not host(name).user("kafka").exists
