"""A Poisson process that can be asked for at any place, at the same cost everywhere.

The axis is that of the records expected so far, on which every Poisson schedule has the rate 1. It is divided into
cells of `CELL`. How many arrivals came before a cell must not be found by counting all cells before it: a run of four
hours would do little else. So the numbers are drawn from the top down. Block b holds the 2**b cells from 2**b - 1 on,
and a Poisson number of arrivals; of the arrivals of a block, a binomial number lies in its first half, and so on down
to the cell. Counts in disjoint cells are then independent and Poisson, as those of a Poisson process are (a Poisson
number of things, each put into one of several boxes, fills the boxes independently), and a place is reached in as many
steps as its number has bits. Each draw has a random generator of its own, seeded by what is drawn: the process is a
pure function of its seed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELL = 1024
_CELLS_KEPT, _DRAWS_KEPT = 256, 4096
"""Going on to the next cell takes two new draws on average, as long as the path to the last one is kept."""


def count(seed: int, expected: float) -> int:
    """Arrivals before a place."""
    cell = int(expected // CELL)
    before, _ = _cell(seed, cell)
    return before + int(np.searchsorted(_places(seed, cell), expected))


def arrivals(seed: int, low: float, high: float) -> Floats:
    """The places of all arrivals in [low, high), ascending, shape (n,)."""
    cells = range(int(low // CELL), int(high // CELL) + 1)
    places = np.concatenate([_places(seed, cell) for cell in cells])
    return places[np.searchsorted(places, low) : np.searchsorted(places, high)]


@lru_cache(maxsize=_CELLS_KEPT)
def _places(seed: int, cell: int) -> Floats:
    """Arrivals of one cell: so many, spread uniformly."""
    _, number = _cell(seed, cell)
    random = np.random.default_rng((seed, 0, cell))
    places = np.sort((cell + random.random(number)) * CELL)
    # A place that was rounded up to the next cell would be in neither.
    return np.minimum(places, np.nextafter((cell + 1.0) * CELL, 0.0))


@lru_cache(maxsize=_DRAWS_KEPT)
def _cell(seed: int, cell: int) -> tuple[int, int]:
    """How many arrivals there are before a cell and in it."""
    level = (cell + 1).bit_length() - 1  # of its block, which holds 2**level cells
    before = sum(_block(seed, lower) for lower in range(level))
    inside, node = _block(seed, level), 1
    for bit in range(level - 1, -1, -1):
        first = _first_half(seed, level, node, inside)
        if (cell + 1) >> bit & 1:
            before, inside, node = before + first, inside - first, 2 * node + 1
        else:
            inside, node = first, 2 * node
    return before, inside


@lru_cache(maxsize=_DRAWS_KEPT)
def _block(seed: int, level: int) -> int:
    """Arrivals in the block of 2**level cells."""
    return int(np.random.default_rng((seed, 1, level)).poisson(CELL << level))


@lru_cache(maxsize=_DRAWS_KEPT)
def _first_half(seed: int, level: int, node: int, inside: int) -> int:
    """How many of the arrivals inside a node of a block's tree lie in its first half."""
    return int(np.random.default_rng((seed, 2, level, node)).binomial(inside, 0.5))
