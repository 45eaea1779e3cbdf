"""Which certificates nodes show to another one when they connect to it: those of their outgoing channels.

For a moment OpenSSL listens in a node's place, with the node's own key, and whoever was connected has to come anew. The
node itself goes on, and sees its connections end.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from testinfra.host import Host

LISTEN = r"""
import collections, json, socket, ssl, subprocess, sys, threading
port, times, *expected = sys.argv[1:]
instead, seen, held = int(port) + 10000, collections.defaultdict(list), []
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
        seen[address].append(to.getpeercert()["serialNumber"])
    except OSError as error:
        print(address, error, file=sys.stderr)
with socket.create_server(("", instead)) as server:
    server.settimeout(0.1)
    firewall("-I")
    try:
        while not all(len(seen[each]) >= int(times) for each in expected):
            try:
                plain, (address, _) = server.accept()
            except TimeoutError:
                continue
            threading.Thread(target=greet, args=(plain, address), daemon=True).start()
    finally:
        firewall("-D")
print(json.dumps(seen))
"""


def shown_to(on: Host, port: int, addresses: Collection[str], times: int = 2) -> dict[str, set[str]]:
    """The serial numbers of the certificates that these addresses show to a node in `times` handshakes or more."""
    told = on.check_output("timeout 120 python3 -c %s %s %s " + " ".join(addresses), LISTEN, str(port), str(times))
    found = json.loads(told)
    return {address: set(found[address]) for address in addresses}
