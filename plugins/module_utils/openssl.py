"""Asks the host's openssl about certificates: a Kafka host's Python has no library for them.

Its command lines have names of files and what stands in certificates, never a key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# In full for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils.command import output
from ansible_collections.crucible.kafka.plugins.module_utils.node_certificate import Certificate, Declared, parse

PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)
# With -CAfile too OpenSSL trusts the authorities of the host's own store, which may have signed for another cluster.
# -no-CAstore would say it, which OpenSSL 1.1 does not know.
NO_STORE_OF_THE_HOST = {"SSL_CERT_DIR": "/nonexistent"}
TOLD = ["-noout", "-subject", "-nameopt", "RFC2253", "-dates", "-ext", "subjectAltName,extendedKeyUsage"]


def certificates(text: str) -> list[str]:
    """Return each certificate in a PEM text, without what stands around it."""
    return PEM.findall(text.replace("\r\n", "\n"))


class OpenSsl:
    """The command on the module's host; each method ends the module with one sentence if the command fails."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def certificate(self, path: Path) -> Certificate:
        """The first certificate in a PEM file, which may hold a key, too."""
        try:
            return parse(output(self._module, ["openssl", "x509", "-in", str(path), *TOLD]))
        except ValueError as error:
            self._module.fail_json(msg=f"The certificate in {path} cannot be read: {error}.")
            raise

    def chain_error(self, certificate: Path, authority: Path) -> str:
        """Why the authority's certificate does not prove the first one of a file, as server and client; else "".

        Nobody else's does: the authorities that the host trusts do not count. Whether they are valid today is not asked
        here.
        """
        for purpose in ("sslserver", "sslclient"):
            command = ["openssl", "verify", "-no_check_time", "-purpose", purpose, "-CAfile", str(authority)]
            code, out, err = self._module.run_command(
                [*command, "-untrusted", str(certificate), str(certificate)], environ_update=NO_STORE_OF_THE_HOST
            )
            if code:
                said = re.search(r"lookup: ?(.+)", err + out)
                return said[1] if said else " ".join((err or out).split())
        return ""

    def same_key(self, certificate: Path, key: Path) -> bool:
        """Whether a certificate is for this key."""
        public = output(self._module, ["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"])
        return public == output(self._module, ["openssl", "pkey", "-in", str(key), "-pubout"])

    def request(self, key: Path, declared: Declared) -> str:
        """The request for a certificate for this key, which is made if it is not there; only root can read it."""
        if not key.exists():
            # A run that ends within the command leaves no half of a key.
            unfinished = key.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600)
            curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            output(self._module, ["openssl", "genpkey", *curve, "-out", str(unfinished)])
            unfinished.rename(key)
        extensions = [
            f"subjectAltName={','.join(declared.names)}",
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=serverAuth,clientAuth",
        ]
        added = [word for extension in extensions for word in ("-addext", extension)]
        return output(
            self._module, ["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={declared.common_name}", *added]
        )
