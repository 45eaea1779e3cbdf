"""Lets `python -m kafka_load` do what `kafka-load` does where the package is not installed."""

import sys

from kafka_load.cli import main

sys.exit(main())
