"""Whether a name or password means the same to every SCRAM client.

Kafka's own clients and librdkafka send its bytes as they are, others prepare it by SASLprep first (RFC 4013). With a
text that SASLprep changes or refuses, only some of them could log in.
"""

from __future__ import annotations

import stringprep
import unicodedata

PROHIBITED = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepared(text: str) -> str | None:
    """The text as SASLprep prepares it to be stored (RFC 4013), None if it refuses the text."""
    if text.isascii():
        return text if text.isprintable() else None
    spaces = ("" if stringprep.in_table_b1(char) else " " if stringprep.in_table_c12(char) else char for char in text)
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", "".join(spaces))
    if any(refuses(char) for char in normal for refuses in PROHIBITED):
        return None
    right_to_left = [stringprep.in_table_d1(char) for char in normal]
    if any(right_to_left):
        if any(stringprep.in_table_d2(char) for char in normal):
            return None
        if not (right_to_left[0] and right_to_left[-1]):
            return None
    return normal


def is_stable(text: str) -> bool:
    """Whether SASLprep leaves the text as it is."""
    return prepared(text) == text
