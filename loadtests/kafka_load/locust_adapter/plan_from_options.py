"""From Locust's options and a profile to the plan of a run, before anything is started."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from locust import runners

from kafka_load.config import client_config, inventory, options, profiles
from kafka_load.config.plan import Plan, PlanError, make_plan
from kafka_load.locust_adapter import users
from kafka_load.run.declared_objects import DeclaredObjects
from kafka_load.run.readiness import Group, UnreadyError, check, check_ownership

DEFAULT_PROFILE = "steady"
REFUSALS = (
    *(profiles.ProfileError, PlanError, inventory.InventoryError, client_config.ClientConfigError),
    *(argparse.ArgumentTypeError, UnreadyError),
)
"""What makes a run impossible; each carries one sentence for the user."""


log = logging.getLogger(__name__)
_warned: set[str] = set()


def read_client_config(path: str | None) -> client_config.ClientConfig:
    """What the file says; a warning is given once a process.

    Raises:
        ClientConfigError: if it cannot be read or used.
    """
    config = client_config.read(path or "")
    for warning in config.warnings:
        if warning not in _warned:
            _warned.add(warning)
            log.warning(warning)
    return config


class Planning:
    """Makes plans for one Locust process."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._classes = list(environment.user_classes)
        self._run_time_s = 0.0

    def choose(self, name: str | None) -> profiles.Profile:
        """Take a profile: its users, with their counts as weights, and those that somebody wrote for himself.

        Raises:
            ProfileError: if there is none, or none of its users is there to be spawned.
        """
        profile = profiles.load(name or DEFAULT_PROFILE)
        own = self._classes_of(profile)
        written, read = users.written_topics_of(own), users.read_topics_of(own)
        groups = [user.group for user in own if issubclass(user, users.ReaderUser)]
        if missing := list(profiles.without_counterpart(profile, written, read, groups)):
            raise profiles.ProfileError("\n".join(f"profile {profile.name}: {sentence}" for sentence in missing))
        self.adopt(profile)
        if not self._environment.user_classes:
            raise profiles.ProfileError(f"profile {profile.name}: none of its users is in the locustfile")
        return profile

    def adopt(self, profile: profiles.Profile) -> None:
        """Let this process spawn the profile's users; a worker is told by the master which profile it is."""
        here = [*self._classes_of(profile), *users.declared_users(profile)]
        for user in here:
            if user.__name__ in profile.users:
                user.weight = profile.users[user.__name__].count
        self._environment.user_classes[:] = here

    def _classes_of(self, profile: profiles.Profile) -> list[Any]:
        """The classes of the locustfile that take part: those that the profile names, and those of the user's own."""
        return [user for user in self._classes if user.__name__ in profile.users or user.__module__ != users.__name__]

    def plan(self, given: argparse.Namespace, profile_name: str | None) -> Plan:
        """The plan for a run with the options `given`.

        Raises:
            one of REFUSALS: if they make no sense.
        """
        values = options.chosen(given)
        profile = self.choose(profile_name)
        if run_time := self._run_time_s or given.run_time:
            profile = profile.lasting(options.span(str(run_time)))
        config = read_client_config(values["client_config"])
        bootstrap = values["bootstrap_servers"] or config.bootstrap or inventory.bootstrap_servers()
        shared = isinstance(self._environment.runner, runners.MasterRunner)
        return make_plan(values, profile, bootstrap, shared=shared, secured=config.properties)

    def ready(self, given: argparse.Namespace, profile_name: str | None) -> Plan:
        """A plan for a cluster that was seen to be there.

        Raises:
            one of REFUSALS: if there is none.
        """
        plan = self.plan(given, profile_name)
        topics = users.topics_of(self._environment.user_classes)
        check(plan.client, [topic for topic in topics if topic not in plan.profile.own_topics])
        DeclaredObjects(plan).check()
        return plan

    def check_ownership(self, plan: Plan, groups: Sequence[Group], missing: Collection[str]) -> None:
        """See that the run's groups and topics are its own, or that its user gave it leave.

        `missing` are topics that do not exist yet.

        Raises:
            UnreadyError: if not.
        """
        refusals = check_ownership(
            plan.client,
            [replace(group, topics=tuple(t for t in group.topics if t not in missing)) for group in groups],
            [topic for topic in users.written_topics_of(self._environment.user_classes) if topic not in missing],
            reset_offsets=plan.options["reset_offsets"],
            write_topics=plan.write_topics,
            leave_s=plan.options["session_timeout_ms"] / 1_000 + 2,
        )
        if refusals:
            raise UnreadyError(str(refusals[0]))

    def take_over(self, plan: Plan) -> None:
        """Give Locust the profile's users, and the coordinator, not Locust's clock, the end of a headless run."""
        given, classes = self._environment.parsed_options, self._environment.user_classes
        given.num_users = given.num_users or sum(plan.presence(user.__name__).count for user in classes)
        given.spawn_rate = given.spawn_rate or min(given.num_users, 100)
        if given.headless:
            self._run_time_s, given.run_time = float(given.run_time or 0), None
            given.only_summary = not given.print_stats
            logging.getLogger("locust.stats_logger").setLevel(logging.INFO if given.print_stats else logging.WARNING)
