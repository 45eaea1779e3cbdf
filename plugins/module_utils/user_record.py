"""The record of the passwords that were set: by it a later run sees that a declared password has changed.

For each credential it holds a salted slow digest of the password and the iterations that Kafka was given. Trying
passwords against the digest is as slow as against a SCRAM-SHA-256 credential in Kafka's metadata log. Nobody can log in
by it.

Kafka is sent the salted password, by which one can log in as by the password itself. So the record says whether the
connection was encrypted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TypeVar

from .user_plan import Credential, DeclaredCredential

FORMAT = 1
DIGEST_ITERATIONS = 4096
SALT_BYTES = 16
ENCRYPTED = ("SSL", "SASL_SSL")
"""Kafka's security protocols that encrypt."""

T = TypeVar("T")
R = TypeVar("R")


class RecordError(Exception):
    """The record cannot be read; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Entry:
    """What is recorded of one credential; `salt` and `digest` in base64.

    `encrypted` says that the connection was by which it was set; a record of an earlier release does not tell.
    """

    name: str
    mechanism: str
    iterations: int
    salt: str
    digest: str
    encrypted: bool = False

    @property
    def credential(self) -> Credential:
        """Whose it is."""
        return Credential(self.name, self.mechanism)


def in_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results in order, by all processors: PBKDF2 lets go of Python's lock."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(function, items))


def parse(text: str) -> dict[Credential, Entry]:
    """The entries of a record; none of an empty text.

    Raises:
        RecordError: It is not a record of this format.
    """
    if not text.strip():
        return {}
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise RecordError(f"its format is {document['format']}, this release knows {FORMAT}")
        entries = [Entry(**entry) for entry in document["credentials"]]
        for entry in entries:
            _bytes(entry.salt), _bytes(entry.digest)
    except (ValueError, KeyError, TypeError):
        # Without the cause: it may quote the text.
        raise RecordError("it is no record of users that were set") from None
    return {entry.credential: entry for entry in entries}


def render(entries: Iterable[Entry]) -> str:
    """The text of a record."""
    ordered = sorted(entries, key=lambda entry: entry.credential)
    return json.dumps({"format": FORMAT, "credentials": [asdict(entry) for entry in ordered]}, indent=1) + "\n"


def verified(text: str, wanted: Iterable[DeclaredCredential]) -> dict[Credential, int]:
    """The recorded iterations of the declared credentials whose recorded password is the declared one."""
    entries = parse(text)
    known = [each for each in wanted if each.present and each.credential in entries]
    right = in_threads(lambda each: _verifies(entries[each.credential], each.password), known)
    return {
        each.credential: entries[each.credential].iterations
        for each, verifies in zip(known, right, strict=True)
        if verifies
    }


def exposed(text: str) -> set[Credential]:
    """The recorded credentials that were sent unencrypted, as far as is known."""
    return {credential for credential, entry in parse(text).items() if not entry.encrypted}


def updated(
    text: str,
    wanted: Iterable[DeclaredCredential],
    done: Mapping[Credential, int],
    removed: Iterable[Credential],
    encrypted: bool = False,
) -> str:
    """The record after a run.

    Args:
        text: The record before it.
        wanted: What is declared, with the passwords.
        done: The iterations of the credentials that the run has set.
        removed: Those that it has removed.
        encrypted: Whether its connection was.
    """
    entries = parse(text)
    for credential in removed:
        entries.pop(credential, None)
    new = in_threads(
        lambda each: _entry(each, done[each.credential], encrypted),
        [each for each in wanted if each.credential in done],
    )
    return render((entries | {entry.credential: entry for entry in new}).values())


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, DIGEST_ITERATIONS)


def _entry(wanted: DeclaredCredential, iterations: int, encrypted: bool) -> Entry:
    salt = os.urandom(SALT_BYTES)
    digest = _digest(wanted.password, salt)
    in_text = base64.b64encode(salt).decode(), base64.b64encode(digest).decode()
    return Entry(*wanted.credential, iterations, *in_text, encrypted)


def _verifies(entry: Entry, password: str) -> bool:
    return hmac.compare_digest(_digest(password, _bytes(entry.salt)), _bytes(entry.digest))
