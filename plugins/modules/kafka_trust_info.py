#!/usr/bin/python
"""Ansible module: which authorities a node trusts, and which of them signed its certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.certificate import authority_id
from ansible_collections.crucible.kafka.plugins.module_utils.openssl import OpenSsl, certificates

DOCUMENTATION = r"""
module: kafka_trust_info
short_description: Tell which authorities a Kafka node trusts, and which one signed its certificate
description:
  - Reads C(truststore.pem) and C(keystore.pem), and changes nothing. A node that has neither trusts nobody.
  - Authorities are told by a digest of name and public key, which a certificate with new dates does not change.
options:
  name: {type: str, required: true, description: The host's name in the inventory.}
  dir: {type: path, required: true, description: The folder of the node's key and certificates.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Read what the node trusts and shows
  crucible.kafka.kafka_trust_info:
    name: kafka1
    dir: /etc/kafka/tls
  register: node
"""

RETURN = r"""
name: {type: str, returned: always, description: The host's name in the inventory.}
trusted: {type: list, elements: str, returned: always, description: The authorities that the node trusts.}
signer: {type: str, returned: always, description: 'The one of them that signed its certificate, "" if none did.'}
"""


def main() -> None:
    """Read, and tell."""
    module = AnsibleModule(
        argument_spec={"name": {"type": "str", "required": True}, "dir": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    folder, openssl = Path(module.params["dir"]), OpenSsl(module)
    truststore, keystore = folder / "truststore.pem", folder / "keystore.pem"
    trusted: dict[str, str] = {}
    if truststore.exists():
        for pem in certificates(truststore.read_text("ascii")):
            try:
                trusted[authority_id(ssl.PEM_cert_to_DER_cert(pem))] = pem
            except ValueError as error:
                module.fail_json(msg=f"A certificate in {truststore} cannot be read: {error}.")
    signer, authority = "", Path(module.tmpdir) / "authority.pem"
    for identity, pem in trusted.items() if keystore.exists() else ():
        authority.write_text(pem, "ascii")
        if not openssl.chain_error(keystore, authority):
            signer = identity
            break
    module.exit_json(changed=False, name=module.params["name"], trusted=list(trusted), signer=signer)


if __name__ == "__main__":
    main()
