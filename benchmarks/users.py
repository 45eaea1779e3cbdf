"""Prints how long one pass over many SCRAM users takes: read the record, ask, set, and write the record.

Three passes: all users are new; nothing has changed; every password has changed. A fourth removes them. Most of the
time is PBKDF2, which uses all processors. Run it on a cluster where such users may be made, from the project's root:
python -m benchmarks.users --bootstrap-servers 10.97.3.11:9092
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import user_plan, user_record
from ansible_collections.crucible.kafka.plugins.module_utils.admin import Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.user_admin import Outcome, carry_out, read_credentials

LIMIT_S = 5.0


def one_pass(endpoint: Endpoint, entries: list[dict[str, Any]], record: str) -> tuple[str, int]:
    """Do once what the role does; the record after it, and how many credentials have changed."""
    wanted = user_plan.declared(entries)
    known = user_record.verified(record, wanted)
    outcome = Outcome()
    with endpoint.connect() as admin:
        plan = user_plan.plan(read_credentials(admin), wanted, known)
        carry_out(admin, plan, wanted, outcome)
    if outcome.refusals:
        raise SystemExit("\n".join(outcome.refusals))
    after = user_record.updated(record, wanted, outcome.set, outcome.removed)
    return after, len(outcome.set) + len(outcome.removed)


def main() -> None:
    """Time the passes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--users", type=int, default=1000)
    options = parser.parse_args()
    endpoint = Endpoint(options.bootstrap_servers.split(","), {}, 30.0)
    names = [f"bench-{number}" for number in range(options.users)]
    passes = {
        "all are new": [{"name": name, "password": f"first of {name}"} for name in names],
        "nothing has changed": [{"name": name, "password": f"first of {name}"} for name in names],
        "every password has changed": [{"name": name, "password": f"second of {name}"} for name in names],
        "all go": [{"name": name, "state": "absent"} for name in names],
    }
    print(f"{options.users} users, {os.cpu_count()} processors, each pass aimed at {LIMIT_S:.0f} s\n")
    record = ""
    for title, entries in passes.items():
        start, processor = time.monotonic(), time.process_time()
        record, changed = one_pass(endpoint, entries, record)
        took, used = time.monotonic() - start, time.process_time() - processor
        print(f"{title:28} {took:6.2f} s   {used:6.2f} s of processor time   {changed:5} credentials changed")


if __name__ == "__main__":
    main()
