"""Joins the harness to Locust: its events, its runners and the messages between them.

A local process and a master coordinate; a local process and the workers have a `WorkerRuntime`. Orders travel as
Locust's custom messages, reports in its own `report_to_master`; a report is cumulative, so one more or less changes
nothing.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import gevent
from locust import runners

from kafka_load.config.client_config import ClientConfigError
from kafka_load.config.plan import Plan
from kafka_load.config.profiles import ProfileError
from kafka_load.engines import take_log_lines
from kafka_load.locust_adapter.locust_stats import feed
from kafka_load.locust_adapter.plan_from_options import REFUSALS, Planning, read_client_config
from kafka_load.locust_adapter.users import (
    groups_of,
    members_of,
    producers_of,
    read_topics_of,
    readers_of,
    topics_of,
)
from kafka_load.locust_adapter.worker_connections import give_up_disconnected, wait_for_silent_workers
from kafka_load.native_threads import wait_until
from kafka_load.output import console_summary, html_report, junit, run_folder
from kafka_load.output.plan_check import Asked
from kafka_load.output.verdict import INCONCLUSIVE, REFUSED
from kafka_load.run import clock_comparison
from kafka_load.run.clock_comparison import ClockComparison
from kafka_load.run.coordinator import Order, RunCoordinator
from kafka_load.run.declared_objects import DeclaredObjects
from kafka_load.run.worker import Report, WorkerRuntime

ORDER, DONE, UNABLE, TIME = "kafka_order", "kafka_done", "kafka_unable", "kafka_time"
LOCAL = "this process"
TICK_S, REPORT_S, PROGRESS_S, END_S = 0.2, 1.0, 5.0, 600.0
TURN_S = 1e-6  # as short as can be, but not 0, with which gevent would not look at who else is to wake

log = logging.getLogger(__name__)


class LocustAdapter:
    """The harness in one Locust process: `environment.kafka`."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.runner: Any = environment.runner
        self.options: Any = environment.parsed_options
        self.headless = bool(self.options.headless)
        self.planning = Planning(environment)
        self.coordinator: RunCoordinator | None = None
        self._declared: DeclaredObjects | None = None
        self.closing = ""
        self._worker: WorkerRuntime | None = None
        self._interrupted = False
        self._leaving = False
        self._said_s = 0.0
        self._parent = os.getppid()
        # The master's options come over those of a worker; on its own host its file may have another place.
        self._client_config: str | None = self.options.client_config
        self._clock = ClockComparison() if isinstance(self.runner, runners.WorkerRunner) else None
        if isinstance(self.runner, runners.MasterRunner):
            # Before anything else: a worker that has begun may ask already.
            self.runner.register_message(TIME, self._on_question)
            wait_for_silent_workers()
            self._every(REPORT_S, lambda: give_up_disconnected(self.runner))

    @property
    def node(self) -> WorkerRuntime:
        """What this process contributes to the run that is on."""
        if self._worker is None:
            raise RuntimeError("no run has been started in this process")
        return self._worker

    # -- setting up

    def join(self, *, coordinates: bool, works: bool) -> None:
        """Listen to what concerns this process."""
        events: Any = self.environment.events
        events.test_start.add_listener(self._coordinate if coordinates else self._work)
        events.quitting.add_listener(self._on_quitting)
        if works:
            self.runner.register_message(ORDER, self._on_order, concurrent=True)
            events.report_to_master.add_listener(self._on_report)
            self._every(TICK_S, self._tick_in_turns)
            self._every(REPORT_S, self._report_home)
            self._every(REPORT_S, self._leave_with_parent)
        if self._clock is not None:
            clock = self._clock
            self.runner.register_message(TIME, self._on_answer)
            self._every(lambda: clock.every_s, lambda: self.runner.send_message(TIME, clock.question()))
        if coordinates:
            self.runner.register_message(DONE, lambda environment, msg: self._receive(msg.data))
            self.runner.register_message(UNABLE, lambda environment, msg: self._call_off(msg.data))
            events.worker_report.add_listener(lambda client_id, data: self._receive(data.get("kafka")))
            events.test_stopping.add_listener(lambda environment: self.end())
            events.spawning_complete.add_listener(lambda user_count: gevent.spawn(self._go))
            events.quit.add_listener(
                lambda exit_code: self.headless and self.closing and print(self.closing, flush=True)
            )
            self._every(REPORT_S, self._tick_coordinator)
            self._every(PROGRESS_S, self._print_progress)
        gevent.signal_handler(signal.SIGINT, self._on_interrupt)
        gevent.signal_handler(signal.SIGTERM, self._on_terminate)  # beside Locust's own, which ends the run

    # -- conducting

    def _coordinate(self, environment: Any) -> None:
        try:
            plan = self.planning.plan(self.options, environment.profile)
            groups = groups_of(environment.user_classes, plan)
            declared = DeclaredObjects(plan)
            declared.check()
            self.planning.check_ownership(plan, groups, [topic.name for topic in declared.missing])
            self._declared = declared
            declared.make()
            plan = run_folder.open_run(plan)
            classes = environment.user_classes
            asked = Asked(plan, producers_of(classes), readers_of(classes, plan), (), read=read_topics_of(classes))
            coordinator = RunCoordinator(
                asked, groups, topics_of(classes), self._send, self._workers, self._print_status
            )
            coordinator.prepare()
        except REFUSALS as refusal:
            self._refuse(str(refusal))
        except Exception as error:  # Locust's event hook would log it and start the users all the same
            log.exception("The run cannot start")
            self._refuse(f"the run cannot start: {error}")
        self.coordinator, self.closing, self._said_s = coordinator, "", 0.0
        self.options.kafka_plan = plan.to_wire()
        if not isinstance(self.runner, runners.MasterRunner):
            self._worker = WorkerRuntime(LOCAL, plan)

    def _refuse(self, sentence: str) -> NoReturn:
        """Call the run off: nothing has been spawned yet."""
        self._say_refusal(sentence)
        self._remove_declared()
        if self.headless or isinstance(self.runner, runners.WorkerRunner):
            self.environment.process_exit_code = REFUSED
            gevent.spawn(self.runner.quit)
        raise gevent.GreenletExit

    def _say_refusal(self, sentence: str) -> None:
        log.error(sentence)
        if self.options.junit and not isinstance(self.runner, runners.WorkerRunner):
            junit.write(Path(self.options.junit), junit.of_refusal(sentence))

    def _remove_declared(self, outcome: str = "") -> None:
        """Remove what the run made of the profile's topics and groups, unless its log may have to be looked at."""
        declared, self._declared = self._declared, None
        if declared is None or self.options.keep_topics:
            return
        if outcome in ("fail", "inconclusive"):
            if declared.missing:
                names = ", ".join(topic.name for topic in declared.missing)
                self._print_status(f"{names} stays, as the run did not pass; the next run that passes removes it")
            return
        coordinator = self.coordinator
        shared = coordinator.topics_with_foreign_records if coordinator is not None and outcome else ()
        for sentence in declared.remove(only_new=not outcome, shared=shared):
            self._print_status(sentence)

    def _call_off(self, sentence: str) -> None:
        """Call the run off after it has begun to spawn users: a worker cannot take part."""
        self._say_refusal(sentence)
        coordinator, self.coordinator = self.coordinator, None
        if coordinator is not None:
            coordinator.abandon()
        self._remove_declared()
        if self.headless:
            self.environment.process_exit_code = REFUSED
        gevent.spawn(self.runner.quit if self.headless else self.runner.stop)

    def _go(self) -> None:
        if self.coordinator is not None:
            count = self.runner.target_user_classes_count
            spawned = {user: count.get(user.__name__, 0) for user in self.environment.user_classes}
            users = {user.__name__: number for user, number in spawned.items()}
            self.coordinator.go(members_of(spawned, self.coordinator.plan), users)

    def _on_quitting(self, environment: Any) -> None:
        self._leaving = True
        self.end()

    def end(self) -> None:
        """End the run that is on, in order, and keep its verdict; whoever else asks meanwhile waits for it."""
        coordinator = self.coordinator
        if coordinator is None:
            self._leave()
            return
        if coordinator.phase not in ("preparing", "running"):
            wait_until(lambda: coordinator.phase in ("judged", "failed"), END_S)
            return
        self.environment.process_exit_code = INCONCLUSIVE
        if not self.headless and not coordinator.over:
            coordinator.ended_by_user()  # by the web page's button, or by a time that was given there
        try:
            verdict = coordinator.finish()
            self.environment.process_exit_code = verdict["exit_code"]
            self.closing = console_summary.closing(verdict, str(html_report.write(coordinator.plan.run_dir)))
            self._remove_declared(verdict["outcome"])
        except Exception:  # Locust's event hook would hide it, and the exit status would say that all is well
            log.exception("The run could not be judged or reported")
            coordinator.phase = "failed"
        if not self.headless:
            print(self.closing, flush=True)

    def _send(self, order: Order, start_ns: int) -> None:
        users = dict(self.coordinator.plan.users) if self.coordinator else {}
        position = self.coordinator.position if self.coordinator else None
        if self._worker is not None:
            gevent.spawn(self._carry_out, order, start_ns, users, position)
        else:
            message = {"order": order, "start_ns": start_ns, "users": users, "position": position}
            self.runner.send_message(ORDER, message)

    def _workers(self) -> set[str]:
        if self._worker is not None:
            return {LOCAL}
        return {name for name, worker in self.runner.clients.items() if worker.state != runners.STATE_MISSING}

    def _receive(self, report: Mapping[str, Any] | None) -> None:
        if report is not None and self.coordinator is not None:
            self.coordinator.receive(Report.from_wire(report))

    def _tick_coordinator(self) -> None:
        coordinator = self.coordinator
        for line in take_log_lines():
            self._print_status(line.text)
            if coordinator is not None:
                coordinator.happened(line.text)
        if coordinator is None or coordinator.phase not in ("preparing", "running"):
            if coordinator is not None and coordinator.phase in ("judged", "failed"):
                self._leave_after_the_last_worker()
            return
        if coordinator.over:
            self._leaving = True
            self._print_status("The load is over; flushing, draining, judging")
            gevent.spawn(self.runner.quit if self.headless else self.runner.stop)
        coordinator.tick()

    def _leave_after_the_last_worker(self) -> None:
        """Locust stops a test whose workers are all missing, and then waits for them, headless for ever."""
        if self.headless and not self._leaving:
            self._leaving = True
            gevent.spawn(self.runner.quit)

    def _print_progress(self) -> None:
        coordinator = self.coordinator
        if coordinator is None or coordinator.verdict is not None:
            return
        now = coordinator.progress()
        if now is not None and now.t_s > self._said_s:
            self._print_status(console_summary.progress(now))
            self._said_s = now.t_s

    def _print_status(self, line: str) -> None:
        if not self.options.quiet:
            print(line, flush=True)

    def _on_question(self, environment: Any, msg: Any) -> None:
        self.runner.send_message(TIME, clock_comparison.answer(msg.data), msg.node_id)

    # -- working

    def _work(self, environment: Any) -> None:
        wire = self.options.kafka_plan
        try:
            config = read_client_config(self._client_config or wire["options"]["client_config"])
            plan = Plan.from_wire(wire, config.properties)
        except (ClientConfigError, ProfileError) as refusal:  # of files that are not on this host
            self.runner.send_message(UNABLE, f"worker {self.runner.client_id}: {refusal}")
            self._refuse(str(refusal))
        self.planning.adopt(plan.profile)
        plan.journal_dir(self.runner.client_id).mkdir(parents=True, exist_ok=True)
        self._worker = WorkerRuntime(self.runner.client_id, plan, self._clock)

    def _on_order(self, environment: Any, msg: Any) -> None:
        self._carry_out(*(msg.data[name] for name in ("order", "start_ns", "users", "position")))

    def _on_answer(self, environment: Any, msg: Any) -> None:
        if self._clock is not None:
            self._clock.take(msg.data, at_once=self._worker is None or not self._worker.measures)

    def _carry_out(self, order: Order, at_ns: int, users: Mapping[str, int], position: float | None = None) -> None:
        if self._worker is None:
            return
        if order == "go":
            self._worker.go(at_ns, users)
            return
        if order == "rate":
            self._worker.set_position(position, at_ns)
            return
        (self._worker.flush if order == "flush" else self._worker.stop)()
        self._tick_worker()
        if self.coordinator is not None:
            self.coordinator.receive(self._worker.report())
        else:
            self.runner.send_message(DONE, self._worker.report().to_wire())

    def _leave(self) -> None:
        """A worker that goes says all it knows before it does; where the run has ended, there is nothing to say."""
        if self._worker is not None and self._worker.reading:
            self._carry_out("flush", 0, {})
            self._carry_out("stop", 0, {})

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if self._worker is not None:
            data["kafka"] = self._worker.report().to_wire()

    def _tick_in_turns(self) -> None:
        """Let the other greenlets, the web page's among them, have their turn after each engine, not after all."""
        self._tick_worker(pause=lambda: gevent.sleep(TURN_S))

    def _tick_worker(self, pause: Callable[[], None] = lambda: None) -> None:
        if self._worker is None:
            return
        for delta in self._worker.tick():
            feed(self.environment.stats, delta)
            pause()
        if self.coordinator is None:
            for line in take_log_lines():
                if not line.common:  # all else the coordinator says
                    log.warning(line.text)

    def _report_home(self) -> None:
        if self._worker is not None and self.coordinator is not None:
            self.coordinator.receive(self._worker.report())

    def _leave_with_parent(self) -> None:
        """A worker of `--processes` whose master was killed would go on for a minute, and then stay."""
        if os.getppid() != self._parent:
            self._close(self.runner.quit)

    # -- both

    def _on_interrupt(self) -> None:
        """The first Ctrl-C ends the run in order, the second one does not wait for readers any more."""
        if self.coordinator is None and self._worker is not None and self._worker.reading and not self._interrupted:
            self._interrupted = True  # a worker: the terminal told the master as well, and the master will tell us
            return
        if self._interrupted and self.coordinator is not None:
            self.coordinator.skip_drain()
        self._interrupted = True
        self._on_terminate()
        web_ui = self.environment.web_ui
        gevent.spawn(self._close, web_ui.stop if web_ui is not None else self.runner.quit)

    def _on_terminate(self) -> None:
        if self.coordinator is not None:
            self.coordinator.ended_by_user()

    def _close(self, leave: Callable[[], None]) -> None:
        self._leaving = True
        self.end()
        leave()

    @staticmethod
    def _every(seconds: float | Callable[[], float], function: Callable[[], object]) -> None:
        def loop() -> None:
            while True:
                gevent.sleep(seconds() if callable(seconds) else seconds)
                try:
                    function()
                except Exception:  # one that ended here would leave a run that never ends
                    log.exception("Something went wrong; the run goes on")

        gevent.spawn(loop)
