"""From a step and a subscriber to what a push says. Pure."""
