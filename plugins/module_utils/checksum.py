"""Reads a SHA-512 in the forms in which it is published, so that it can be pasted as it is."""

from __future__ import annotations

import re

SHA512 = re.compile(r"[0-9a-f]{128}")


def sha512(text: str) -> str | None:
    """Return the 128 hexadecimal digits of a published SHA-512 in lower case; None if the text does not hold one.

    Understood are the bare digits, `sha512:` before them, and the files that Apache publishes beside its archives:
    `DIGITS  FILE` (sha512sum), `FILE: DIGITS` with groups, capitals and line breaks (gpg --print-md), and
    `SHA512 (FILE) = DIGITS`.
    """
    words: list[str] = re.split(r"[:=]", text.strip())[-1].lower().split()
    candidates: tuple[str, ...] = ("".join(words), *words[:1])
    return next((digits for digits in candidates if SHA512.fullmatch(digits)), None)
