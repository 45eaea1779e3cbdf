"""A pytest plugin for mutation testing: Hypothesis tries the same examples each time and does not shrink them."""

from hypothesis import Phase, settings

settings.register_profile(
    "mutation", deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
