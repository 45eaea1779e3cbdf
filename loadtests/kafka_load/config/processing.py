"""What a group does with its records, as a profile declares it: how long it takes and which attempts fail.

Which attempts fail is decided by the record's identity and the run, not by chance: whoever knows them can tell which
records had to end in the dead-letter topic, the judge of the run as well as a reader that shares no code with it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kafka_load.records.stamp import Int64s, Words

_P99 = 2.3263478740408408  # the standard normal distribution's 99th percentile


@dataclass(frozen=True)
class ProcessingTime:
    """How long one attempt takes: a `distribution` with its numbers in seconds.

    `fixed` (value), `uniform` (from, to), `exponential` (mean) or `lognormal` (median, p99).
    """

    distribution: str = "fixed"
    args: Mapping[str, float] = field(default_factory=lambda: {"value": 0.0})

    def draw_s(self, random: np.random.Generator, count: int) -> NDArray[np.float64]:
        """So many times in seconds, shape (count,)."""
        args = self.args
        if self.distribution == "uniform":
            return random.uniform(args["from"], args["to"], count)
        if self.distribution == "exponential":
            return random.exponential(args["mean"], count)
        if self.distribution == "lognormal":
            sigma = math.log(args["p99"] / args["median"]) / _P99
            return random.lognormal(math.log(args["median"]), sigma, count)
        return np.full(count, args["value"], np.float64)


@dataclass(frozen=True)
class Processing:
    """What members of a group do with each record before they commit it.

    Attributes:
        time: How long one attempt takes.
        failures: The share of attempts that fail.
        retries: How often a record that fails is tried again, in place.
        backoff_s: How long the member waits before each of those.
        dead_letter_topic: Where a record goes all of whose attempts failed; empty if none can.
    """

    time: ProcessingTime = ProcessingTime()
    failures: float = 0.0
    retries: int = 0
    backoff_s: float = 0.0
    dead_letter_topic: str = ""

    def failed_attempts(self, seed: int, origins: Words, sequences: Int64s) -> Int64s:
        """How many attempts at each record fail, at most `retries` + 1: then it is a dead letter. Shape (n,).

        An attempt, counted from 0, fails if the upper 53 bits of
        `mix(mix(mix(seed ^ origin) ^ sequence) ^ attempt)` are below `failures` * 2**53; `mix` is the finalizer of
        splitmix64, and `origin` has the producer in its upper and the partition in its lower 32 bits.
        """
        record = _mix(_mix(np.uint64(seed) ^ origins) ^ sequences.astype(np.uint64))
        failed = np.zeros(len(record), np.int64)
        left = np.arange(len(record))
        for attempt in range(self.retries + 1 if self.failures else 0):
            draws = _mix(record[left] ^ np.uint64(attempt)) >> np.uint64(11)
            left = left[draws < np.uint64(int(self.failures * 2**53))]
            failed[left] += 1
        return failed


def seed_of(run: int, group: str) -> int:
    """What a group's failures are drawn from: each group of each run has others."""
    return run ^ zlib.crc32(group.encode())


def _mix(words: Words) -> Words:
    """The finalizer of splitmix64 (https://prng.di.unimi.it/splitmix64.c)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
