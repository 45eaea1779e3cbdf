"""What is read back of the topics that groups wrote says which topic it was, so that what happened to that counts."""

from __future__ import annotations

from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import Plan
from kafka_load.config.profiles import parse
from kafka_load.ledger import GroupWork, TransformWork
from kafka_load.run.group_outputs import read_group_work

PROFILE = {
    "duration": "60s",
    "size": "json",
    "topics": {"payments": {"rate": 10}},
    "groups": {
        "enricher": {"topics": ["payments"], "transform": {"output": "enriched"}},
        "billing": {"topics": ["payments"], "processing": {"failures": 0.1, "dead_letter_topic": "billing.DLT"}},
    },
}


def test_the_work_of_a_group_names_the_topic_that_it_wrote() -> None:
    """No partition was there before the run, so no record is read."""
    options = {option.dest: option.default for option in OPTIONS}
    found, unread = read_group_work(Plan("r1", 1, "localhost:9", parse("mine", PROFILE, "mine.toml"), options), {})
    enricher, billing = found["enricher"], found["billing"]
    assert isinstance(enricher, TransformWork) and isinstance(billing, GroupWork)
    assert (enricher.topic, billing.processing.dead_letter_topic, unread) == ("enriched", "billing.DLT", [])
