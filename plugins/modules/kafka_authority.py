#!/usr/bin/python
"""Ansible module: brings the folder of the private authority to the declared phase of its change, or says why not."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.authority_change import (
    ABANDON,
    FINISH,
    REISSUE,
    TRUST_BOTH,
    Folder,
    Node,
    needs_renewal,
    next_step,
    phase,
    refusals,
    target,
)
from ansible_collections.crucible.kafka.plugins.module_utils.certificate import authority_id, expires
from ansible_collections.crucible.kafka.plugins.module_utils.openssl import certificates
from ansible_collections.crucible.kafka.plugins.module_utils.replaced_file import replace_file

DOCUMENTATION = r"""
module: kafka_authority
short_description: Bring the private authority to a phase of its change
description:
  - Tells who is trusted and who signs. C(ca.crt) has the trusted certificates, the first of them signs.
  - Fails in one sentence, before it writes anything, where a phase would be skipped or nodes would refuse each other.
  - A new authority is not made here. RV(make) says that C(next.key) and C(next.crt) are needed; run it again then. So
    it is with C(renewed.crt), a certificate with new dates for the same key and name, which replaces the one in
    C(ca.crt).
  - Each file is replaced at once, and nothing is removed before there is a copy of it. An interrupted run is finished
    by the next one.
options:
  dir: {type: path, required: true, description: The authority's folder.}
  change:
    type: str
    default: ''
    choices: ['', trust_both, reissue, finish, abandon]
    description: The phase to come to, "" to stay.
  nodes:
    type: list
    elements: dict
    required: true
    description: What M(kafka_trust_info) told of each host of the run.
  processes:
    type: list
    elements: dict
    default: []
    description: What M(kafka_node_info) told of each of them.
  within_days:
    type: float
    default: 0.0
    description: A certificate of the authority that ends earlier is to be renewed.
  signed_elsewhere:
    type: bool
    default: false
    description: Whether the keys are elsewhere, so that nothing can be made, and a missing certificate is refused.
  absent: {type: list, elements: str, default: [], description: Hosts of the cluster that are not in the run.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Tell who is trusted and who signs
  crucible.kafka.kafka_authority:
    dir: /srv/authority
    nodes: "{{ ansible_play_hosts | map('extract', hostvars, 'node') }}"
  register: authority
"""

RETURN = r"""
make: {type: str, returned: always, description: 'What is to be made: C(ca), C(next), C(renewed), or "" for nothing.'}
trusted: {type: str, returned: always, description: 'The certificates to trust, in PEM, "" before there is one.'}
signer: {type: str, returned: always, description: The certificate of the authority that signs.}
key: {type: str, returned: always, description: The file of its key.}
opened_by: {type: str, returned: always, description: The variable that has the passphrase of that key.}
phase: {type: str, returned: always, description: 'The phase of the change, "" for none.'}
next_step: {type: str, returned: always, description: 'What to do then, "" for nothing.'}
"""


DAY_S = 86400


@dataclass(frozen=True)
class Files:
    """The files of the authority's folder."""

    folder: Path

    @property
    def trusted(self) -> Path:
        """Whom nodes and clients trust; the first one signs."""
        return self.folder / "ca.crt"

    @property
    def key(self) -> Path:
        """The key of the only authority, of the former one in a change."""
        return self.folder / "ca.key"

    @property
    def next_certificate(self) -> Path:
        """The certificate of the new authority in a change."""
        return self.folder / "next.crt"

    @property
    def next_key(self) -> Path:
        """Its key."""
        return self.folder / "next.key"

    @property
    def renewed(self) -> Path:
        """A certificate with new dates."""
        return self.folder / "renewed.crt"

    def read(self) -> tuple[Folder, dict[str, str]]:
        """What is there, and the certificate of each authority in PEM."""
        trusted, following = _authorities(self.trusted), _authorities(self.next_certificate)
        retired = (self.folder / "retired").exists()
        return Folder(list(trusted), next(iter(following), ""), retired, str(self.folder)), following | trusted

    def retire(self, identity: str, certificate: str, key: Path) -> None:
        """Keep a copy of an authority that is no longer used."""
        kept = self.folder / "retired" / identity[:16]
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        if key.exists():
            replace_file(kept.with_suffix(".key"), key.read_bytes(), 0o600)
        replace_file(kept.with_suffix(".crt"), f"{certificate}\n".encode("ascii"), 0o644)

    def settle(self) -> bool:
        """Let the new authority's files have the names of the only one's, where an interrupted run has not."""
        folder, _ = self.read()
        if len(folder.trusted) != 1 or folder.following != folder.trusted[0]:
            return False
        if self.next_key.exists():
            self.next_key.rename(self.key)
        self.next_certificate.unlink()
        return True


def _authorities(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return {authority_id(ssl.PEM_cert_to_DER_cert(pem)): pem for pem in certificates(path.read_text("ascii"))}


def bring_to(files: Files, change: str) -> bool:
    """Write what the change needs, and tell whether that was anything."""
    folder, pems = files.read()
    goal = target(folder, change)
    renewed = _authorities(files.renewed)
    pems |= renewed
    changed = goal != list(folder.trusted) or bool(renewed)
    if changed:
        for gone in {*folder.trusted} - {*goal}:
            files.retire(gone, pems[gone], files.next_key if gone == folder.following else files.key)
        replace_file(files.trusted, "".join(f"{pems[each]}\n" for each in goal).encode("ascii"), 0o644)
    files.renewed.unlink(missing_ok=True)
    if change == ABANDON and files.next_certificate.exists() and folder.following not in goal:
        files.retire(folder.following, pems[folder.following], files.next_key)
        files.next_key.unlink(missing_ok=True)
        files.next_certificate.unlink()
        changed = True
    return files.settle() or changed


def left_days(pem: str) -> float:
    """How many days a certificate is valid yet."""
    return (expires(ssl.PEM_cert_to_DER_cert(pem)).timestamp() - time.time()) / DAY_S


def node(told: dict[str, Any], found: dict[str, Any]) -> Node:
    """A node of what was read on its host."""
    process = found.get("process") or {}
    files, started_with = found.get("started_with") or {}, process.get("digests") or {}
    unfinished = bool(process) and any(started_with.get(path) != digest for path, digest in files.items())
    return Node(told["name"], told["trusted"], told["signer"], unfinished)


def main() -> None:
    """Judge, then write."""
    dicts = {"type": "list", "elements": "dict"}
    module = AnsibleModule(
        argument_spec={
            "dir": {"type": "path", "required": True},
            "change": {"type": "str", "default": "", "choices": ["", TRUST_BOTH, REISSUE, FINISH, ABANDON]},
            "nodes": {**dicts, "required": True},
            "processes": {**dicts, "default": []},
            "within_days": {"type": "float", "default": 0.0},
            "signed_elsewhere": {"type": "bool", "default": False},
            "absent": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    change, files = module.params["change"], Files(Path(module.params["dir"]))
    found = {each["name"]: each for each in module.params["processes"] if "name" in each}
    nodes = [node(each, found.get(each["name"], {})) for each in module.params["nodes"]]
    try:
        (before, _), renewed = files.read(), _authorities(files.renewed)
    except ValueError as error:
        module.fail_json(msg=f"tls_authority_dir: a certificate in {files.folder} cannot be read: {error}.")
    if refused := list(refusals(before, change, nodes, module.params["absent"])):
        module.fail_json(msg=" ".join(refused))
    if not {*renewed} <= {*before.trusted}:
        module.fail_json(
            msg=f"tls_authority_dir: {files.renewed} is not for the key and the name of the authority in ca.crt. Remove"
            " it, and replace the authority with tls_authority_change (docs/certificates.md)."
        )
    changed = not module.check_mode and bring_to(files, change)
    folder, pems = files.read()
    goal = target(folder, change)
    make, own = "" if folder.trusted else "ca", not module.params["signed_elsewhere"]
    if change == TRUST_BOTH and len(goal) == 1:
        make = "next"
    elif goal and own and needs_renewal(folder, change, left_days(pems[goal[0]]), module.params["within_days"]):
        make = "renewed"
    if make and not own:
        module.fail_json(
            msg=f"tls_signed_elsewhere: put the certificate of your authority into {files.folder}/{make}.crt, on"
            " the host that tls_authority_host names."
        )
    if module.check_mode:
        changed = bool(make) or goal != list(folder.trusted)
    signs = goal[0] if goal else ""
    former_signs = len(goal) > 1 and signs != folder.following
    # Before there is a new authority, its passphrase is declared already.
    opened_by = "tls_former_authority_passphrase" if former_signs or make == "next" else "tls_authority_passphrase"
    module.exit_json(
        changed=changed,
        make=make,
        trusted="".join(f"{pems[each]}\n" for each in goal),
        signer=pems.get(signs, ""),
        key=str(files.next_key if signs == folder.following and files.next_key.exists() else files.key),
        opened_by=opened_by,
        phase=phase(folder),
        next_step=next_step(folder, change),
    )


if __name__ == "__main__":
    main()
