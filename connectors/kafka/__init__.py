"""Kafka, as far as it is not a shell of the engine: its topics, and how its clients are set up."""
