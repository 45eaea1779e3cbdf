"""A pytest plugin for mutation testing: Hypothesis tries the same few examples each time and does not shrink them.

A test that asks for more examples gets no more than here, since each surviving mutant costs all of them.
"""

from collections.abc import Iterable

import pytest
from hypothesis import Phase, settings

AT_MOST = 25

settings.register_profile(
    "mutation",
    max_examples=AT_MOST,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Limit the examples of tests with settings of their own, which Hypothesis keeps in this attribute."""
    for item in items:
        test = getattr(item, "obj", None)
        own: settings | None = getattr(test, "_hypothesis_internal_use_settings", None)
        if own and own.max_examples > AT_MOST:
            vars(test)["_hypothesis_internal_use_settings"] = settings(own, max_examples=AT_MOST)
