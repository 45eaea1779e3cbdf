"""The rows of `benchmarks/load.py`, one module each, and what they share."""
