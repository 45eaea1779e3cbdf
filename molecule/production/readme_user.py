"""A user who takes the README's steps in a folder of its own, and a mirror of the archive with a private authority."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import testinfra
from live import LAB, ROOT, Run
from testinfra.host import Host

SCENARIO = ROOT / "molecule/production"
VERSION = "4.4.0"
ARCHIVE = f"kafka_2.13-{VERSION}.tgz"
DOMAIN, MIRROR = "crucible.test", "mirror.crucible.test"
GATEWAY = f"10.97.{LAB}.1"
ADDRESSES = {f"kafka{node}.{DOMAIN}": f"10.97.{LAB}.{10 + node}" for node in (1, 2, 3)}
BROKERS = tuple(ADDRESSES)
# The only host of another cluster.
BILLING, BILLING_ADDRESS = f"billing1.{DOMAIN}", f"10.97.{LAB}.21"
ALL_ADDRESSES = ADDRESSES | {BILLING: BILLING_ADDRESS}
PASSWORD = "an-operators-password"  # noqa: S105 # Of a host that lives as long as the test.
CHECKOUT = ("ansible.cfg", "ansible_collections", "galaxy.yml", "meta", "playbooks", "plugins", "roles", "site.yml")


def commands() -> dict[str, str]:
    """Return the commands of the README's five steps: copying the example, looking, deploying."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"## Your own hosts\n(.*?)\n## ", text, re.DOTALL)
    assert section
    copy, check, deploy = re.findall(r"`((?:cp|ansible-playbook) [^`]+)`", section[1])
    return {"copy": copy, "check": check, "deploy": deploy}


@dataclass(frozen=True)
class Edit:
    """What a step of the README has a user change in a file of the inventory."""

    file: str
    old: str
    new: str

    def make(self, inventory: Path) -> None:
        """Change it, once; the example is not what the README describes if it is not there exactly once."""
        path = inventory / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{path} has {text.count(self.old)} times: {self.old}"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


FIREWALL, KAFKA = "group_vars/all/firewall.yml", "group_vars/kafka/kafka.yml"
STEP_2 = [Edit("hosts.yml", f"kafka{node}.example.com", f"kafka{node}.{DOMAIN}") for node in (1, 2, 3)]


def step_3(mirror: str, checksum: str, authority: Path) -> list[Edit]:
    """Return the edits of the third step."""
    return [
        Edit(KAFKA, "https://downloads.apache.org/kafka", mirror),
        Edit(KAFKA, "128 hexadecimal digits", checksum),
        Edit(KAFKA, "# kafka_archive_ca: /etc/ssl/certs/my-ca.pem", f"kafka_archive_ca: {authority}"),
        Edit(KAFKA, "/dev/nvme1n1", "/dev/vdb"),
        Edit(KAFKA, "kafka_heap_mb: 4096", "kafka_heap_mb: 384"),
        Edit(FIREWALL, "192.0.2.0/24", f"{GATEWAY}/32"),
        Edit(FIREWALL, "198.51.100.0/24", f"10.97.{LAB}.21/32"),
    ]


def with_a_password(password: str) -> Edit:
    """Return the edit that adds a listener for clients with a password, beside those of the roles' defaults."""
    return Edit(
        KAFKA,
        "\nkafka_config:\n",
        f"""
shop_password: {password}
kafka_listeners:
  - {{name: CLIENT, port: 9092, security_protocol: PLAINTEXT, reachable_by: clients}}
  - {{name: CONTROLLER, port: 9093, security_protocol: PLAINTEXT, reachable_by: members}}
  - {{name: SHOP, port: 9095, security_protocol: SASL_PLAINTEXT, reachable_by: clients}}
kafka_config:
  listener.name.shop.sasl.enabled.mechanisms: PLAIN
  listener.name.shop.plain.sasl.jaas.config: >-
    org.apache.kafka.common.security.plain.PlainLoginModule required user_shop="{{{{ shop_password }}}}";
""",
    )


DATA = "{path: /var/lib/kafka/data, mount: /var/lib/kafka}"
TWO_DIRECTORIES = f"{DATA}\n  - {DATA.replace('data', 'more')}"
SECOND_DIRECTORY = Edit(KAFKA, DATA, TWO_DIRECTORIES)
SETTING = Edit(KAFKA, "log.retention.hours: 168", "log.retention.hours: 169")
MOVED_LISTENER = Edit(KAFKA, "port: 9092, security_protocol: PLAINTEXT", "port: 9192, security_protocol: PLAINTEXT")
# This machine becomes a client, too.
ANOTHER_CLIENT = Edit(FIREWALL, f"10.97.{LAB}.21/32", f"10.97.{LAB}.21/32, {GATEWAY}/32")


def add_cluster(inventory: Path) -> None:
    """Add the cluster `billing`: a group of one host without a disk, and otherwise a copy of the first one."""
    shutil.copytree(inventory / "group_vars/kafka", inventory / "group_vars/billing")
    last, variables = f"kafka3.{DOMAIN}: {{kafka_node_id: 3}}", "group_vars/billing/kafka.yml"
    for edit in (
        Edit("hosts.yml", last, f"{last}\n    billing:\n      hosts:\n        {BILLING}: {{kafka_node_id: 1}}"),
        Edit(variables, "data_disk_mounts:\n  - {device: /dev/vdb, path: /var/lib/kafka}", "data_disk_mounts: []"),
        Edit(variables, TWO_DIRECTORIES, '{path: /srv/kafka, mount: ""}'),
    ):
        edit.make(inventory)


@dataclass(frozen=True)
class User:
    """Somebody who administers hosts from a folder, `place`, with SSH settings of its own."""

    place: Path

    def run(self, command: str, *options: str) -> Run:
        """Run a command in the user's folder."""
        done = subprocess.run(
            self._words(command, options),
            cwd=self.place,
            env=self._environment,
            text=True,
            capture_output=True,
            check=False,
        )
        return Run(done.returncode == 0, done.stdout + done.stderr)

    def interrupt(self, command: str, when: Callable[[], bool]) -> Run:
        """Run a command and interrupt it, as Ctrl-C does, as soon as `when` is true."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as output,
            subprocess.Popen(
                self._words(command),
                cwd=self.place,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
        ):
            while process.poll() is None and not when():
                time.sleep(0.1)  # The rate of sampling.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            status = process.wait()
            output.seek(0)
            return Run(status == 0, output.read())

    @staticmethod
    def _words(command: str, options: Sequence[str] = ()) -> list[str]:
        """Return the command's words; the machine's limits come as options (vars/machine.yml)."""
        words = shlex.split(command)
        if words[0] == "ansible-playbook":
            words += [f"--extra-vars=@{SCENARIO}/vars/machine.yml", *options]
        return words

    @property
    def _environment(self) -> dict[str, str]:
        # What the tests themselves run with says nothing about the user: only the folder's own ansible.cfg counts.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
        return own | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_SSH_COMMON_ARGS": f"-F {ssh_folder()}/ssh_config",
            # This machine resolves the hosts' names as by a hosts file of its own (libnss-wrapper).
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_HOSTS": f"{ssh_folder()}/hosts",
        }


def ssh_folder() -> Path:
    """Return the folder of the user's SSH settings and hosts file, which is made once."""
    lab = ROOT / ".lab" / LAB
    folder = lab / "user"
    folder.mkdir(exist_ok=True)
    key = (lab / "host_ed25519.pub").read_text(encoding="utf-8")
    (folder / "known_hosts").write_text(f"*.{DOMAIN},10.97.* {key}", encoding="utf-8")
    (folder / "ssh_config").write_text(
        f'Host *\n  IdentityFile "{lab}/id_ed25519"\n  IdentitiesOnly yes\n'
        f'  UserKnownHostsFile "{folder}/known_hosts"\n  GlobalKnownHostsFile /dev/null\n',
        encoding="utf-8",
    )
    hosts = "".join(f"{address} {name}\n" for name, address in ALL_ADDRESSES.items())
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}", encoding="utf-8")
    return folder


def host(name: str) -> Host:
    """Return a host of a broker, looked at as root by a user with sudo."""
    return testinfra.get_host(f"ssh://admin@{ALL_ADDRESSES[name]}?ssh_config={ssh_folder()}/ssh_config&sudo=true")


def checkout(place: Path) -> User:
    """Return a user whose folder is a checkout, as the README has it."""
    for name in CHECKOUT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    example = "inventory/production.example"
    shutil.copytree(ROOT / example, place / example)
    return User(place)


def installed(place: Path) -> User:
    """Return a user with a playbook of its own in a folder, and the collection installed from its built archive."""
    # First of all, for ansible-galaxy installs nothing that it finds in another of its paths.
    settings = "[defaults]\ncollections_path = collections\n[ssh_connection]\npipelining = True\n"
    (place / "ansible.cfg").write_text(settings, encoding="utf-8")
    made = User(place)
    for command in (
        f"build {ROOT}",
        "install --no-deps --offline --collections-path=collections crucible-kafka-*.tar.gz",
    ):
        done = made.run(f"sh -c 'ansible-galaxy collection {command}'")
        assert done.ok, done.output
    shutil.copy(SCENARIO / "cluster.yml", place)
    return made


def make_authority(folder: Path) -> Path:
    """Make a certificate authority and the mirror's certificate; return the authority's PEM file."""
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "30"]
    # Python 3.13 and later, as Debian 13 has it, wants the key's usage to be named.
    root = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{MIRROR}"]
    for name, options in (("ca", root), ("mirror", [*signed, "-addext", "basicConstraints=critical,CA:FALSE"])):
        subprocess.run(
            [*new, "-subj", f"/CN=crucible {name}", "-keyout", f"{name}.key", "-out", f"{name}.crt", *options],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder / "ca.crt"


@contextlib.contextmanager
def mirror(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Serve the archive over https: the URL, the checksum as Apache publishes it, and the authority to trust."""
    official = ROOT / ".cache/kafka/official"
    assembled = ROOT / ".cache/kafka" / ARCHIVE
    if not (official / ARCHIVE).exists():
        subprocess.run([SCENARIO / "official_archive.sh", assembled, official], check=True, capture_output=True)
    authority = make_authority(folder)
    release = folder / "www/kafka" / VERSION
    release.mkdir(parents=True)
    (release / ARCHIVE).symlink_to(official / ARCHIVE)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder / "www")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mirror.crt", folder / "mirror.key")
    with http.server.ThreadingHTTPServer((GATEWAY, 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        checksum = (official / f"{ARCHIVE}.sha512").read_text(encoding="utf-8").rstrip()
        yield f"https://{MIRROR}:{server.server_port}/kafka", checksum, authority
        server.shutdown()
