"""The facts of a run that went well, for the tests of what is made of them."""

from kafka_load.ledger import GroupJudgement
from kafka_load.output.measurements import Facts, Fault, Gap, Percentiles

GROUPS = ("warehouse-group", "analytics-group")
LATENCY = Percentiles(2000, 4000, 9000, 20000, 30000)
FACTS = Facts(
    run_id="20250102T030405-steady",
    profile="steady",
    started="2025-01-02T03:04:05+00:00",
    duration_s=60.0,
    due=60_000,
    acknowledged=60_000,
    groups=tuple(GroupJudgement(group, "queue", consumed=60_000) for group in GROUPS),
    gaps={"orders-0": Gap(2.5, 20.0)},
    produce=LATENCY,
    end_to_end=dict.fromkeys(GROUPS, LATENCY),
    faults=(Fault("kill_broker", "kafka2", 20.0, 40.0, recovered_after_s=9.5),),
)
