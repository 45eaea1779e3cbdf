"""A checksum is pasted as it was published, and a text that is none is not taken for one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.checksum import sha512

DIGITS = hashlib.sha512(b"kafka").hexdigest()
FILE = "kafka_2.13-4.3.1.tgz"


def printed_by_gpg(digits: str) -> str:
    """As in https://downloads.apache.org/kafka/: eight digits a group, four groups a line, the file's name first."""
    groups = [digits[start : start + 8].upper() for start in range(0, 128, 8)]
    lines = [" ".join(groups[start : start + 4]) for start in range(0, 16, 4)]
    return f"{FILE}: " + "\n                       ".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        DIGITS,
        DIGITS.upper(),
        f"  {DIGITS}\n",
        f"sha512:{DIGITS}",
        f"SHA512: {DIGITS.upper()}",
        f"{DIGITS}  {FILE}\n",
        f"{DIGITS} *{FILE}\n",
        f"sha512:{DIGITS}  {FILE}",
        f"SHA512 ({FILE}) = {DIGITS}",
        printed_by_gpg(DIGITS),
        printed_by_gpg(DIGITS).replace("\n", " "),  # As a folded YAML scalar has it.
    ],
)
def test_every_published_form_is_the_same_checksum(text: str) -> None:
    assert sha512(text) == DIGITS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "128 hexadecimal digits",
        DIGITS[:-1],
        DIGITS + "0",
        "g" + DIGITS[1:],
        f"sha256:{DIGITS[:64]}",
        FILE,
        f"{FILE} {DIGITS}",  # Nobody publishes it so: it may be the checksum of something else.
    ],
)
def test_a_text_without_a_sha512_is_none(text: str) -> None:
    assert sha512(text) is None


@given(st.text(alphabet="0123456789abcdefABCDEF", min_size=128, max_size=128), st.data())
def test_blanks_between_the_digits_do_not_matter(digits: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 20))):
        place = data.draw(st.integers(0, len(digits)))
        digits = digits[:place] + data.draw(st.sampled_from([" ", "\n", "  "])) + digits[place:]
    assert sha512(digits) == "".join(digits.split()).lower()
