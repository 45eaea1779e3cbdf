"""What a locustfile calls to get the harness: `install()`, and then any of the users, the shop's or one's own."""

from __future__ import annotations

import faulthandler
import sys
from pathlib import Path
from typing import Any

from locust import events, runners

from kafka_load.config.options import add_options
from kafka_load.librdkafka import LibraryError, check_layout
from kafka_load.locust_adapter import web
from kafka_load.locust_adapter.adapter import LocustAdapter
from kafka_load.locust_adapter.before_fork import BeforeFork
from kafka_load.locust_adapter.plan_from_options import REFUSALS
from kafka_load.metrics.publish import PublishError, publish
from kafka_load.native_threads import native_call, relax_garbage_collector, wait_until
from kafka_load.output import junit
from kafka_load.output.verdict import REFUSED

LAYOUT_S = 60.0


def install() -> None:
    """Add the harness's options and let it take part in every run of this Locust process."""
    if not faulthandler.is_enabled():
        faulthandler.enable()  # a crash in librdkafka, or a SIGABRT to a run that hangs, leaves where each thread was
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(add_options)
    before_fork = BeforeFork()
    hooks.init_command_line_parser.add_listener(before_fork.watch)
    hooks.init.add_listener(before_fork.restore)
    hooks.init.add_listener(_init)
    hooks.init.add_listener(before_fork.begin)


def _init(environment: Any, **_: Any) -> None:
    session = LocustAdapter(environment)
    environment.kafka = session
    report = getattr(environment.parsed_options, "junit", None)
    coordinates = not isinstance(environment.runner, runners.WorkerRunner)
    works = not isinstance(environment.runner, runners.MasterRunner)
    if not coordinates:
        runners.WORKER_REPORT_INTERVAL = 1.0  # the tab and the timeline live by the second
        session.join(coordinates=False, works=True)  # now: the master may begin while the check below takes its time
    if coordinates and report:
        try:
            junit.write(Path(report), junit.of_refusal())
        except OSError as error:
            _refuse(environment, f"--junit {report} cannot be written: {error.strerror}")
    if works:
        try:
            native_call(check_layout, timeout_s=LAYOUT_S)
        except (LibraryError, TimeoutError) as refusal:
            _refuse(environment, str(refusal))
    if coordinates:
        try:
            look = session.planning.ready if session.headless else session.planning.plan
            session.planning.take_over(look(environment.parsed_options, environment.profile))
        except REFUSALS as refusal:
            if report:
                junit.write(Path(report), junit.of_refusal(str(refusal)))
            _refuse(environment, str(refusal))
        try:
            publish(environment.parsed_options, lambda: session.coordinator)
        except PublishError as refusal:
            _refuse(environment, str(refusal))
        session.join(coordinates=True, works=works)
    _await_workers(environment)
    if works:
        relax_garbage_collector()
    if environment.web_ui is not None:
        web.install(session, environment.web_ui, REFUSALS)


def _refuse(environment: Any, sentence: str) -> None:
    print(f"locust: {sentence}", file=sys.stderr, flush=True)
    environment.runner.quit()  # tells the workers that --processes started, which would stay otherwise
    sys.exit(REFUSED)


def _await_workers(environment: Any) -> None:
    """Wait for the workers of a headless run, and refuse the run if they do not come in time.

    Locust would wait itself, right after this, and end with the exit status that stands for a failed verdict.
    """
    options, runner = environment.parsed_options, environment.runner
    if not isinstance(runner, runners.MasterRunner) or not (options.headless and options.expect_workers_max_wait):
        return
    wait_s, expected = float(options.expect_workers_max_wait), options.expect_workers
    if not wait_until(lambda: len(runner.clients.ready) >= expected, wait_s, 0.1):
        came = f"{len(runner.clients.ready)} of {expected} workers came within {wait_s:g} s"
        print(f"locust: {came} (--expect-workers, --expect-workers-max-wait)", file=sys.stderr, flush=True)
        runner.quit()
        sys.exit(REFUSED)
