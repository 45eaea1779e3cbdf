#!/usr/bin/python
"""Ansible module: until when the certificates are valid that a running Kafka process shows and trusts."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# address and certificate are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import address as address
from ansible_collections.crucible.kafka.plugins.module_utils.certificate import authority_id, expires
from ansible_collections.crucible.kafka.plugins.module_utils.listeners import Listener, running_node
from ansible_collections.crucible.kafka.plugins.module_utils.openssl import certificates
from ansible_collections.crucible.kafka.plugins.module_utils.properties import parse
from ansible_collections.crucible.kafka.plugins.module_utils.tls_handshake import shown_certificate

DOCUMENTATION = r"""
module: kafka_certificates_info
short_description: Tell until when the certificates of a Kafka node are valid
description:
  - Connects from the node's host to each of its listeners that speak TLS, and reads the certificate from the handshake.
    So it is what clients see, not what lies in a file; and listeners are reached that a firewall closes to others.
  - Reads the authorities that the process trusts from its truststores of type PEM.
  - Trusts nobody and changes nothing. A listener that requires a certificate of its clients logs one failed login.
options:
  path: {type: path, required: true, description: The properties with which the process was started.}
  timeout_s: {type: float, default: 5.0, description: How long a listener may take to answer.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Read the certificates of the node's listeners
  crucible.kafka.kafka_certificates_info:
    path: /run/kafka/server.properties
  register: found
"""

RETURN = r"""
certificates:
  type: list
  elements: dict
  returned: always
  description:
    - Of each listener that speaks TLS its name (C(listener)), its C(port), the seconds from 1970 to the end of the
      certificate's validity (C(expires_s)), and what went wrong (C(failure)), "" if nothing did.
    - None if no process runs.
authorities:
  type: list
  elements: dict
  returned: always
  description:
    - Of each authority in a truststore of type PEM what tells it from others (C(authority)), and the seconds from 1970
      to the end of its certificate's validity (C(expires_s)).
    - What cannot be read is left out; the process would not have started with it.
"""

TRUSTSTORE = re.compile(r"(^|\.)ssl\.truststore\.location$")
EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 # Nothing is bound here.


def certificate(listener: Listener, timeout_s: float) -> dict[str, Any]:
    """What the module answers of one listener."""
    host = "localhost" if listener.bind in EVERY_ADDRESS else listener.bind
    expires_s, failure = 0.0, ""
    try:
        expires_s = expires(shown_certificate(host, listener.port, timeout_s)).timestamp()
    except (OSError, ValueError) as error:
        failure = getattr(error, "strerror", None) or str(error)
    return {"listener": listener.name, "port": listener.port, "expires_s": expires_s, "failure": failure}


def trusted(properties: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the module answers of the authorities, each once."""
    found: dict[str, float] = {}
    for key, location in properties.items():
        kind = properties.get(key.removesuffix("location") + "type", properties.get("ssl.truststore.type", ""))
        path = Path(location)
        if not TRUSTSTORE.search(key) or kind.upper() != "PEM" or not path.is_file():
            continue
        for pem in certificates(path.read_text("utf-8", errors="replace")):
            try:
                der = ssl.PEM_cert_to_DER_cert(pem)
                authority, expires_s = authority_id(der), expires(der).timestamp()
            except ValueError:
                continue
            found[authority] = min(expires_s, found.get(authority, expires_s))
    return [{"authority": authority, "expires_s": expires_s} for authority, expires_s in found.items()]


def main() -> None:
    """Ask all listeners at once."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "timeout_s": {"type": "float", "default": 5.0},
        },
        supports_check_mode=True,
    )
    path, timeout_s = Path(module.params["path"]), module.params["timeout_s"]
    properties = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    listeners = [each for each in running_node("", "", properties).listeners.values() if each.protocol.endswith("SSL")]
    with ThreadPoolExecutor(max_workers=len(listeners) or 1) as pool:
        found = list(pool.map(lambda listener: certificate(listener, timeout_s), listeners))
    module.exit_json(changed=False, certificates=found, authorities=trusted(properties))


if __name__ == "__main__":
    main()
