"""The shop's users, and those of the topics and groups that a profile declares.

A user says what it wants: a topic and a rate, or a group and its topics; engines do it.

Spawning a user starts a real producer or member of a group, stopping it makes that one flush or leave, so Locust's
ramping up and down is the cluster's. A class of your own needs no more than what is said here in its first lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from locust import User, constant, task

from kafka_load.clock import SECOND, now_ns
from kafka_load.config.plan import Plan
from kafka_load.config.profile_types import Event, Mode, Profile
from kafka_load.config.schedule import constant as constant_rate
from kafka_load.engines import ProducerEngine, reader
from kafka_load.native_threads import wait_until
from kafka_load.output.plan_check import Producing
from kafka_load.records import fresh_id
from kafka_load.run.readiness import Group, united
from kafka_load.run.worker import AnyEngine, WorkerRuntime


class EngineError(RuntimeError):
    """An engine ended by itself; the message says why."""


class KafkaUser(User):
    """A user whose work is done by an engine for as long as the user is there."""

    abstract = True
    wait_time = constant(1)

    @property
    def node(self) -> WorkerRuntime:
        """What this process contributes to the run."""
        node: WorkerRuntime = self.environment.kafka.node
        return node

    @task
    def work(self) -> None:
        """Be there when the profile says so; an engine that dies is reported and replaced by Locust's next call."""
        presence = self.node.plan.presence(type(self).__name__)
        if presence.start_s:
            self._wait(lambda: self._elapsed_s() >= presence.start_s)
        while self._wanted():
            self._attend(presence.stay_s if presence.away_s else math.inf)
            self._wait(lambda: False, presence.away_s)
        self._wait(lambda: False)

    def engine(self) -> AnyEngine:
        """The engine that does the work, not yet started."""
        raise NotImplementedError

    def began(self, engine: AnyEngine) -> None:
        """Called once the engine runs and the run has its start; or if that is not to be."""

    def _name(self) -> str:
        raise NotImplementedError

    def _wanted(self) -> bool:
        raise NotImplementedError

    def _attend(self, stay_s: float) -> None:
        self._wait(lambda: self.node.clock_known or not self._wanted())
        if not self._wanted():
            return
        engine = self.engine()
        engine.start()
        self._waited_for_start = self.node.start_ns is None
        self.node.started(engine, self._name(), type(self).__name__)
        try:
            self._wait(lambda: self.node.start_ns is not None or not engine.alive or not self._wanted())
            self.began(engine)
            self._wait(lambda: not engine.alive or not self._wanted(), stay_s)
        finally:
            if self._wanted():  # at the end of a run the node stops all engines, in order
                engine.stop()
        if engine.error:
            raise EngineError(engine.error)

    def _elapsed_s(self) -> float:
        return 0.0 if self.node.start_ns is None else (now_ns() - self.node.start_ns) / SECOND

    @staticmethod
    def _wait(condition: Callable[[], bool], seconds: float = math.inf) -> None:
        wait_until(condition, seconds, 0.05)


class ProducerUser(KafkaUser):
    """Produces to `topic`; `rate` is records/s of one such user where the profile says nothing."""

    abstract = True
    topic: ClassVar[str]
    event: ClassVar[Event] = "order"
    rate: ClassVar[float] = 100.0

    def engine(self) -> AnyEngine:
        """A producer that is connected and waits."""
        self.producer = fresh_id()
        settings = self.node.plan.producer(self.topic, self.event, self.producer)
        return ProducerEngine(self.node.plan.client, settings, constant_rate(0.0))

    def began(self, engine: AnyEngine) -> None:
        """From the start of the run on, follow the schedule from where it is.

        A producer that was there before the start follows all of it: what was due before it heard of the start is sent
        late, not dropped.
        """
        start_ns = self.node.start_ns
        if not isinstance(engine, ProducerEngine) or start_ns is None or not self._wanted():
            return
        from_ns = 0 if self._waited_for_start else max(0, now_ns() - start_ns)
        schedule = self.node.plan.schedule(type(self).__name__, self.rate, self.producer, from_ns)
        engine.set_schedule(schedule, start_ns + from_ns)

    def _name(self) -> str:
        return self.topic

    def _wanted(self) -> bool:
        return self.node.producing


class ReaderUser(KafkaUser):
    """A member of `group`, which reads `topics`; members of one group share the records, groups each get all.

    `written` are topics that it writes, as a profile's groups may.
    """

    abstract = True
    group: ClassVar[str]
    topics: ClassVar[tuple[str, ...]]
    mode: ClassVar[Mode] = "pubsub"
    written: ClassVar[tuple[str, ...]] = ()

    def on_start(self) -> None:
        """A name that this user keeps when it leaves and joins again."""
        self.name = f"{type(self).__name__}-{fresh_id():x}"

    def engine(self) -> AnyEngine:
        """A member of the group."""
        plan = self.node.plan
        group = plan.group(self.group)
        return reader(plan.client, plan.reader(group, self.topics, self.mode, self.name, self.node.worker))

    def _name(self) -> str:
        return self.node.plan.group(self.group)

    def _wanted(self) -> bool:
        return self.node.reading


def declared_users(profile: Profile) -> list[type[User]]:
    """A class of users for each topic and each group that the profile declares; it is named after the profile's key."""
    producers = [
        type(topic.user, (ProducerUser,), {"topic": topic.name, "event": topic.event, "__module__": __name__})
        for topic in profile.topics.values()
    ]
    readers = [
        type(
            group.user,
            (ReaderUser,),
            {
                **{"group": group.name, "topics": group.topics, "mode": group.mode, "written": group.written},
                "__module__": __name__,
            },
        )
        for group in profile.groups.values()
    ]
    return [*producers, *readers]


def topics_of(users: Iterable[type[User]]) -> tuple[str, ...]:
    """All topics that these users write or read."""
    chosen = list(users)
    return tuple(sorted({*written_topics_of(chosen), *read_topics_of(chosen)}))


def written_topics_of(users: Iterable[type[User]]) -> tuple[str, ...]:
    """All topics that these users write."""
    found: set[str] = set()
    for user in users:
        if issubclass(user, ProducerUser):
            found.add(user.topic)
        elif issubclass(user, ReaderUser):
            found.update(user.written)
    return tuple(sorted(found))


def read_topics_of(users: Iterable[type[User]]) -> tuple[str, ...]:
    """All topics that these users read."""
    return tuple(sorted({topic for user in users if issubclass(user, ReaderUser) for topic in user.topics}))


def producers_of(users: Iterable[type[User]]) -> dict[str, Producing]:
    """What each class of users produces, by the class's name."""
    return {user.__name__: Producing(user.topic, user.rate) for user in users if issubclass(user, ProducerUser)}


def readers_of(users: Iterable[type[User]], plan: Plan) -> dict[str, str]:
    """The group of each class of users that read, by the class's name."""
    return {user.__name__: plan.group(user.group) for user in users if issubclass(user, ReaderUser)}


def groups_of(users: Iterable[type[User]], plan: Plan) -> list[Group]:
    """All groups that these users are members of.

    Raises:
        UnreadyError: Classes of one group have different modes.
    """
    readers = (user for user in users if issubclass(user, ReaderUser))
    return united(Group(plan.group(user.group), user.mode, user.topics) for user in readers)


def members_of(users: Mapping[type[User], int], plan: Plan) -> Counter[str]:
    """How many of so many users are members of each group when the run begins."""
    members: Counter[str] = Counter()
    for user, count in users.items():
        if issubclass(user, ReaderUser) and not plan.presence(user.__name__).start_s:
            members[plan.group(user.group)] += count
    return members


class OrderProducer(ProducerUser):
    """Customers who buy."""

    topic = "orders"
    rate = 250.0


class ClickProducer(ProducerUser):
    """Customers who look around."""

    topic = "clicks"
    event = "click"
    rate = 750.0


class WarehouseMember(ReaderUser):
    """The warehouse's queue: each order goes to one of its members."""

    group = "warehouse-group"
    topics = ("orders",)
    mode = "queue"


class AnalyticsReader(ReaderUser):
    """Analytics wants everything."""

    group = "analytics-group"
    topics = ("orders", "clicks")


class NotificationReader(ReaderUser):
    """Notifications tell customers about their orders."""

    group = "notification-group"
    topics = ("orders",)


class WarehouseShareMember(ReaderUser):
    """A share group (KIP-932): orders acknowledged one by one, by more members than there are partitions."""

    group = "warehouse-share"
    topics = ("orders",)
    mode = "share"
