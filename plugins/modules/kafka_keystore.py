#!/usr/bin/python
"""Ansible module: puts a node's new certificate into use, with the key that was made for it, if nothing is wrong."""

from __future__ import annotations

import grp
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.node_certificate import Declared, problems
from ansible_collections.crucible.kafka.plugins.module_utils.openssl import OpenSsl
from ansible_collections.crucible.kafka.plugins.module_utils.replaced_file import replace_file

DOCUMENTATION = r"""
module: kafka_keystore
short_description: Put a Kafka node's new certificate into use
description:
  - Verifies the certificate for the key that M(kafka_certificate_request) has made. It has to be signed by the
    authority, for that key, for all names, for servers and clients, and valid now. Otherwise it fails in one sentence.
  - Writes C(keystore.pem), key and certificates in one file that replaces the former one at once, and removes
    C(next.key). A running process keeps the former one until it is restarted.
options:
  dir: {type: path, required: true, description: The folder of the node's key and certificates.}
  common_name: {type: str, required: true, description: The subject's common name.}
  names: {type: list, elements: str, required: true, description: 'Its alternative names, as C(DNS:kafka1).'}
  certificate: {type: str, required: true, description: 'The certificate and those above it, in PEM.'}
  group: {type: str, default: kafka, description: The group that may read the file; its owner is the one who runs this.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Put the certificate into use
  crucible.kafka.kafka_keystore:
    dir: /etc/kafka/tls
    common_name: kafka1
    names: ["DNS:kafka1", "IP:192.0.2.11"]
    certificate: "{{ signed.certificate }}"
"""

RETURN = r"""
expires_s: {type: int, returned: success, description: Seconds from 1970 to the end of the certificate's validity.}
"""


def main() -> None:
    """Verify, then write."""
    module = AnsibleModule(
        argument_spec={
            "dir": {"type": "path", "required": True},
            "common_name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "certificate": {"type": "str", "required": True},
            "group": {"type": "str", "default": "kafka"},
        },
        supports_check_mode=True,
    )
    params, openssl = module.params, OpenSsl(module)
    folder = Path(params["dir"])
    key, truststore = folder / "next.key", folder / "truststore.pem"
    given = Path(module.tmpdir) / "certificate.pem"
    given.write_text(params["certificate"], "ascii")
    certificate = openssl.certificate(given)
    found = list(
        problems(
            certificate,
            Declared(params["common_name"], params["names"]),
            openssl.chain_error(given, truststore),
            openssl.same_key(given, key),
            openssl.certificate(truststore).expires_s,
            time.time(),
        )
    )
    if found:
        module.fail_json(msg=f"The certificate for {params['common_name']} cannot be used: {'; '.join(found)}.")
    if not module.check_mode:
        text = f"{key.read_text('ascii').strip()}\n{params['certificate'].strip()}\n"
        replace_file(folder / "keystore.pem", text.encode("ascii"), 0o640, grp.getgrnam(params["group"]).gr_gid)
        key.unlink()
    module.exit_json(changed=True, expires_s=certificate.expires_s)


if __name__ == "__main__":
    main()
