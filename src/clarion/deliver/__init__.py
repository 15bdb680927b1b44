"""To the provider and back: one lane per integration, retries, and one outcome per message."""
