"""The durable queue between the stages."""
