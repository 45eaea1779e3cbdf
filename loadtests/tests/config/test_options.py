"""Numbers on the command line: what cannot be meant is refused by the option's parser, before anything is touched."""

from __future__ import annotations

import argparse

import pytest
from kafka_load.config.options import LIMIT_PREFIX, OPTIONS, Option

NUMBERS = [option for option in OPTIONS if option.dest.startswith(LIMIT_PREFIX)]
NUMBERS += [option for option in OPTIONS if option.dest in ("rate", "zipf", "entropy", "linger_ms", "max_late_ms")]
SPANS = [option for option in OPTIONS if option.dest in ("warmup", "window", "drain_timeout")]


@pytest.mark.parametrize("option", [*NUMBERS, *SPANS], ids=lambda option: option.flag)
@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e400"])
def test_a_number_has_an_end(option: Option, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a |is less than "):
        option.type(text)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("rate", "1e10", "1e10 is more than 1,000,000,000"),
        ("keys", "10000001", "10000001 is more than 10,000,000"),
        ("min_records", "2147483648", "2147483648 is more than 2,147,483,647"),
        ("commit_ms", "9" * 400, "is more than 2,147,483,647"),
        ("drain_timeout", "8785h", r"a time span is at most a year \(8784h\)"),
        ("window", "9" * 400 + "h", r"a time span is at most a year \(8784h\)"),
    ],
)
def test_a_number_that_no_run_can_have_is_refused(name: str, text: str, says: str) -> None:
    [option] = [option for option in OPTIONS if option.dest == name]
    with pytest.raises(argparse.ArgumentTypeError, match=says):
        option.type(text)
