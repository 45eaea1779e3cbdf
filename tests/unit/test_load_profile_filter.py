"""Which files a load generator needs beside a profile."""

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.crucible.kafka.plugins.filter.load_profile import profile_payloads

PROFILE = """
payload = "clicks.jsonl"
[topics.payments]
payload = "data/payments.jsonl"
rate = 10
[topics.refunds]
payload = "clicks.jsonl"
[topics.other]
payload = "/srv/other.jsonl"
"""


def test_each_file_beside_a_profile_is_named_once_and_one_that_is_elsewhere_is_not() -> None:
    assert profile_payloads(PROFILE) == ["clicks.jsonl", "data/payments.jsonl"]
    assert profile_payloads('duration = "10s"') == []


def test_a_profile_that_is_no_toml_is_refused_with_the_variable_and_the_place() -> None:
    with pytest.raises(AnsibleFilterError, match=r"loadgen_profile is no TOML: .*line 2"):
        profile_payloads('duration = "10s"\npayload: x')
