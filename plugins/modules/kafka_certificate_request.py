#!/usr/bin/python
"""Ansible module: does a node need another certificate, and if so, the request for one. Its key stays on the host."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.node_certificate import Declared, renewal_reasons
from ansible_collections.crucible.kafka.plugins.module_utils.openssl import OpenSsl

DOCUMENTATION = r"""
module: kafka_certificate_request
short_description: Make a key and a certificate request for a Kafka node that needs another certificate
description:
  - Judges the certificate in C(keystore.pem) by its end, its authority, its subject, its names and its purposes.
  - If another one is needed, makes a key in C(next.key), which only root can read, and returns the request for it.
    A key that is there already is used, so that an interrupted run goes on. M(kafka_keystore) puts it into use.
options:
  dir: {type: path, required: true, description: The folder of the node's key and certificates.}
  common_name: {type: str, required: true, description: The subject's common name.}
  names: {type: list, elements: str, required: true, description: 'Its alternative names, as C(DNS:kafka1).'}
  authority: {type: str, required: true, description: 'The certificate that signs, in PEM; "" before it is made.'}
  renew_days: {type: float, required: true, description: A certificate that expires in fewer days is renewed.}
  reissue: {type: bool, default: false, description: Whether any certificate is renewed.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Make a key and a request where another certificate is needed
  crucible.kafka.kafka_certificate_request:
    dir: /etc/kafka/tls
    common_name: kafka1
    names: ["DNS:kafka1", "IP:192.0.2.11"]
    authority: "{{ lookup('ansible.builtin.file', 'ca.crt') }}"
    renew_days: 30
  register: request
"""

RETURN = r"""
reasons: {type: list, elements: str, returned: always, description: Why another certificate is needed.}
usable: {type: bool, returned: always, description: Whether the one that is there will do until another one comes.}
request: {type: str, returned: always, description: 'The request in PEM, "" if none is needed and in check mode.'}
"""


def main() -> None:
    """Judge, and make a key and a request if that is needed."""
    module = AnsibleModule(
        argument_spec={
            "dir": {"type": "path", "required": True},
            "common_name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "authority": {"type": "str", "required": True},
            "renew_days": {"type": "float", "required": True},
            "reissue": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    folder = Path(params["dir"])
    keystore, truststore, key = (folder / name for name in ("keystore.pem", "truststore.pem", "next.key"))
    authority = Path(module.tmpdir) / "authority.pem"
    openssl = OpenSsl(module)
    declared = Declared(params["common_name"], params["names"], params["renew_days"])
    found = openssl.certificate(keystore) if keystore.exists() else None
    authority.write_text(params["authority"], "ascii")
    chain_error = "it is unknown"
    if found and params["authority"]:
        chain_error = openssl.chain_error(keystore, authority)
    now_s = time.time()
    reasons = list(renewal_reasons(found, declared, chain_error, now_s))
    if params["reissue"] and not reasons:
        reasons = ["it was asked for"]
    request = ""
    if not module.check_mode:
        if reasons:
            request = openssl.request(key, declared)
        else:
            key.unlink(missing_ok=True)
    usable = False
    if found and truststore.exists():  # It may be one of another authority that is trusted, and near its end.
        until_its_end, untrusted = replace(declared, renew_days=0), openssl.chain_error(keystore, truststore)
        usable = not list(renewal_reasons(found, until_its_end, untrusted, now_s))
    module.exit_json(changed=bool(reasons), reasons=reasons, request=request, usable=usable)


if __name__ == "__main__":
    main()
