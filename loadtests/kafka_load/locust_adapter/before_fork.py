"""What must be settled before `--processes` forks the workers, and what must not have begun by then.

Locust forks between its options and its `init` event, and has no event of its own there. So the options are settled as
soon as they are parsed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from locust import events
from locust.opentelemetry import setup_opentelemetry

from kafka_load.config.master_ports import MasterPortError, ReservedPort, check_free, master_ports
from kafka_load.output import junit


class BeforeFork:
    """Settles the options of this Locust process once; `install()` lets it hear of the parser and of `init`."""

    def __init__(self) -> None:
        self._settled = False
        self._otel = False
        self._reserved: ReservedPort | None = None

    def watch(self, parser: argparse.ArgumentParser, **_: Any) -> None:
        """Settle what this parser finds. The web UI makes further ones, for its page alone."""
        if self._settled:
            return
        locusts: Any = parser
        locusts.set_defaults(master_bind_port=None, master_port=None)  # to tell what was given
        parse = locusts.parse_args

        def parse_and_settle(*args: Any, **named: Any) -> argparse.Namespace:
            options: argparse.Namespace = parse(*args, **named)
            if not self._settled:
                self._settled = True
                try:
                    self._settle(options)
                except MasterPortError as refusal:
                    if options.junit:
                        junit.write(Path(options.junit), junit.of_refusal(str(refusal)))
                    parser.error(str(refusal))
            return options

        locusts.parse_args = parse_and_settle  # no event comes between this and the fork

    def restore(self, environment: Any, **_: Any) -> None:
        """The processes are forked, and the master listens: let the options say what was asked for."""
        if self._reserved is not None:
            self._reserved.release()
        if self._otel:
            environment.parsed_options.otel = True

    def begin(self, environment: Any, runner: Any, web_ui: Any, **_: Any) -> None:
        """Begin what had to wait, in each process by itself.

        Last of all: it takes its time, and a worker must not miss its orders meanwhile.
        """
        if self._otel:
            _set_up_open_telemetry(environment, runner, web_ui)

    def _settle(self, options: argparse.Namespace) -> None:
        self._otel = bool(options.otel and options.processes)
        if self._otel:  # its threads do not survive a fork: those of the children end with a KeyError
            options.otel = False
        forks = bool(options.processes) and not options.worker
        ports = master_ports(options.master_bind_port, options.master_port, forks=forks, free=self._reserve)
        options.master_bind_port, options.master_port = ports.bind, ports.connect
        if self._reserved is None and (forks or options.master):
            check_free(options.master_bind_host, ports.bind)

    def _reserve(self) -> int:
        self._reserved = ReservedPort()
        return self._reserved.number


def _set_up_open_telemetry(environment: Any, runner: Any, web_ui: Any) -> None:
    """Do what Locust does for `--otel`, and let what it adds to `init` hear of it although that event is on already."""
    hooks: Any = events
    under_way, hooks.init = hooks.init, type(hooks.init)()
    try:
        setup_opentelemetry(environment.parsed_options.locustfile, environment.parsed_options.profile)
    finally:
        added, hooks.init = hooks.init, under_way
    added.fire(environment=environment, runner=runner, web_ui=web_ui)
