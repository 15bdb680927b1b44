"""The workflow engine: what a trigger comes to for each recipient, at once or step by step over time."""
