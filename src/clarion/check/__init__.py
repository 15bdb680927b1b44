"""Whether and when a step goes on: pure rules over values."""
