"""SASLprep by the examples of RFC 4013, section 3, and what of it a password may contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.saslprep import is_stable, prepared


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007", None),
        ("\u0627\u0031", None),
    ],
    ids=["soft hyphen", "no change", "case", "NFKC, ISO 8859-1", "NFKC, Roman numeral", "control", "bidirectional"],
)
def test_the_examples_of_the_rfc(text: str, result: str | None) -> None:
    assert prepared(text) == result
    assert is_stable(text) == (text == result)


@pytest.mark.parametrize(
    ("text", "stable"),
    [
        ("correct horse battery staple", True),
        ("pässwörd", True),
        ("пароль", True),
        ("\u0627\u0628", True),  # Arabic, from its first letter to its last
        ("\u0627a\u0628", False),  # with a Latin letter between
        ("\u0627\u0628\u002e", False),  # with a full stop at its end
        ("\u3000", False),  # a space of another width
        ("a\u0308", False),  # composed, it is one letter
        ("\u00e4\n", False),
        ("\u00e4\ue000", False),  # of private use
        ("\u00e4\ufffe", False),  # no character
        ("\u00e4\ufffd", False),  # not fit for plain text
        ("\u00e4\u2ff0", False),  # not fit for a canonical form
        ("\u00e4\u200e", False),  # changes how text is shown
        ("\u00e4\U000e0041", False),  # a tag
        ("\U0001f511", False),  # later than Unicode 3.2
        ("\ud800", False),  # half a character
    ],
)
def test_what_every_client_sends_alike_may_be_used(text: str, stable: bool) -> None:
    assert is_stable(text) is stable


@given(st.text())
def test_a_prepared_text_stays_as_it_is(text: str) -> None:
    once = prepared(text)
    assert once is None or prepared(once) in (once, None)  # Normalised, it may have become a bidirectional one.
