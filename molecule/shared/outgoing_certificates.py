"""Which certificates nodes show when they connect to others: those of their outgoing channels.

For some seconds OpenSSL listens in the place of several nodes, with their own keys, and all that were connected to them
have to come anew. The nodes themselves go on, and see their connections end.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from testinfra.host import Host

LISTEN = r"""
import json, signal, socket, ssl, struct, subprocess, sys, threading
port, shown = int(sys.argv[1]), open("/run/shown.jsonl", "w", buffering=1)
instead, held = port + 10000, []
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/etc/kafka/tls/keystore.pem")
tls.load_verify_locations("/etc/kafka/tls/truststore.pem")
tls.verify_mode = ssl.CERT_REQUIRED
RULES = [
    f"PREROUTING -t nat -p tcp --dport {port} -j REDIRECT --to-ports {instead}",
    f"INPUT -p tcp --dport {instead} -j ACCEPT",
    f"INPUT ! -i lo -p tcp --dport {port} -j REJECT --reject-with tcp-reset",
]
def firewall(does):
    for rule in RULES:
        subprocess.run(["iptables", "--wait", does, *rule.split()], check=True)
def greet(plain, address):
    try:
        held.append(to := tls.wrap_socket(plain, server_side=True))
        with to.makefile("rb") as request:  # Its length, kind, version and number, and then the client's name.
            (length,) = struct.unpack(">12xh", request.read(14))
            client = request.read(length).decode()
        print(json.dumps([address, client, to.getpeercert()["serialNumber"]]), file=shown)
    except (OSError, struct.error) as error:
        print(address, error, file=sys.stderr)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with socket.create_server(("", instead)) as server:
    firewall("-I")
    try:
        while True:
            plain, (address, _) = server.accept()
            threading.Thread(target=greet, args=(plain, address), daemon=True).start()
    finally:
        firewall("-D")
"""
UNIT = "listens-instead"
LIMIT_S = 120.0
"""After which it ends by itself, so that no node stays cut off."""

Shown = Mapping[str, Mapping[str, set[str]]]
"""Serial numbers by the client's name in its requests, and that by the address of the node."""


@contextmanager
def _listening_instead(nodes: list[Host], port: int) -> Iterator[None]:
    run = f"systemd-run --quiet --collect --unit={UNIT} --property=RuntimeMaxSec={LIMIT_S:.0f} python3 -c %s %s"
    try:
        for node in nodes:
            node.check_output("rm -f /run/shown.jsonl")
            node.check_output(run, LISTEN, str(port))
        yield
    finally:
        for node in nodes:
            node.run(f"systemctl stop {UNIT}")


def shown_to(nodes: list[Host], port: int, complete: Callable[[Shown], bool]) -> Shown:
    """What was shown to these nodes, until that is `complete`; all that there is when the time is over."""
    with _listening_instead(nodes, port):
        deadline = time.monotonic() + LIMIT_S
        while True:
            shown: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
            for node in nodes:
                for line in node.run("cat /run/shown.jsonl").stdout.splitlines():
                    address, client, serial = json.loads(line)
                    shown[address][client].add(serial)
            if complete(shown) or time.monotonic() > deadline:
                return shown
