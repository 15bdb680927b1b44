"""The step runner: what waits between two steps, and what resumes it."""
