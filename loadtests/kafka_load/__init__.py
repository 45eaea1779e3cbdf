"""A load harness for Kafka that knows what happened to every record."""
