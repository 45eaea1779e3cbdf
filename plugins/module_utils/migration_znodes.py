"""What KRaft controllers have written into ZooKeeper, and what has to be done about it on the way back to ZooKeeper.

Three znodes say who led the cluster:

- `/controller` is whoever leads it; a KRaft controller says there by which epoch of the quorum.
- `/migration` says how far the controllers had come, and by which epoch.
- `/controller_epoch` counts the controllers. A broker that becomes the controller takes the next number.

Controllers write the epoch of their quorum into the state of each partition (Kafka 3.9,
`ZkTopicMigrationClient.updateTopicPartitions`), and leave `/controller_epoch` to ZooKeeper's own count. The two have
nothing to do with each other. A broker whose number is lower than what stands in a partition's state takes itself for
a former controller, and elects no leader for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

CONTROLLER, MIGRATION, EPOCH = "/controller", "/migration", "/controller_epoch"
_NUMBER = re.compile(r"(?:\[.*\] )?(\d+)")
_EPOCHS = ("kraftControllerEpoch", "kraft_controller_epoch")  # in CONTROLLER and in MIGRATION


@dataclass(frozen=True)
class Znodes:
    """What ZooKeeper holds.

    Attributes:
        left: What a KRaft controller has written into CONTROLLER and MIGRATION, as JSON, by path.
        epoch: How many controllers there have been; None: it cannot be read.
    """

    left: dict[str, str]
    epoch: int | None

    @property
    def epoch_to_set(self) -> int | None:
        """What EPOCH has to be, so that the next controller's is higher than all that was written; None: it is."""
        written = [int(json.loads(value).get(key, 0)) for value in self.left.values() for key in _EPOCHS]
        highest = max(written, default=0)
        return highest if self.epoch is not None and highest > self.epoch else None


def parse(text: str, controllers: Collection[int]) -> Znodes:
    """Return what ZooKeeper's shell prints for a `get` of each of the three.

    CONTROLLER may be a broker's, which leads the cluster: no KRaft controller has left it.
    """
    left: dict[str, str] = {}
    epoch = None
    for line in text.splitlines():
        value = _value(line)
        if isinstance(value, int):
            epoch = value
        elif value.get("brokerid") in controllers:
            left[CONTROLLER] = json.dumps(value)
        elif "kraft_controller_id" in value or "kraft_metadata_offset" in value:
            left[MIGRATION] = json.dumps(value)
    return Znodes(left, epoch)


def _value(line: str) -> dict[str, Any] | int:
    """The value in a line, which may have the shell's prompt before it; empty where there is none."""
    if number := _NUMBER.fullmatch(line.strip()):
        return int(number[1])
    try:
        found: dict[str, Any] = json.loads(line[line.index("{") :])
    except ValueError:
        return {}
    return found
