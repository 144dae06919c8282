"""The engine on Kafka."""
