"""What must be settled before `--processes` forks the workers, and what must not have begun by then.

Locust forks between its options and its `init` event, and has no event of its own there. So the options are settled as
soon as they are parsed.
"""

from __future__ import annotations

import argparse
from typing import Any

from locust import events
from locust.opentelemetry import setup_opentelemetry


class BeforeFork:
    """Settles the options of this Locust process once; `install()` lets it hear of the parser and of `init`."""

    def __init__(self) -> None:
        self._settled = False
        self._otel = False

    def watch(self, parser: argparse.ArgumentParser, **_: Any) -> None:
        """Settle what this parser finds. The web UI makes further ones, for its page alone."""
        if self._settled:
            return
        locusts: Any = parser
        parse = locusts.parse_args

        def parse_and_settle(*args: Any, **named: Any) -> argparse.Namespace:
            options: argparse.Namespace = parse(*args, **named)
            if not self._settled:
                self._settled = True
                self._settle(options)
            return options

        locusts.parse_args = parse_and_settle  # no event comes between this and the fork

    def after_fork(self, environment: Any, runner: Any, web_ui: Any, **_: Any) -> None:
        """Begin what had to wait, in each process by itself."""
        if self._otel:
            environment.parsed_options.otel = True
            _set_up_open_telemetry(environment, runner, web_ui)

    def _settle(self, options: argparse.Namespace) -> None:
        self._otel = bool(options.otel and options.processes)
        if self._otel:  # its threads do not survive a fork: those of the children end with a KeyError
            options.otel = False


def _set_up_open_telemetry(environment: Any, runner: Any, web_ui: Any) -> None:
    """Do what Locust does for `--otel`, and let what it adds to `init` hear of it although that event is on already."""
    hooks: Any = events
    under_way, hooks.init = hooks.init, type(hooks.init)()
    try:
        setup_opentelemetry(environment.parsed_options.locustfile, environment.parsed_options.profile)
    finally:
        added, hooks.init = hooks.init, under_way
    added.fire(environment=environment, runner=runner, web_ui=web_ui)
