"""The shop under load: `locust` in the project's root opens the web UI with it; see docs/load.md."""

from kafka_load.shop import *  # noqa: F403  # Locust takes the users from this file's own names
