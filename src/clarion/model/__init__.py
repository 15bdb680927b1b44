"""The vocabulary of Clarion: values without behaviour of their own. Pure, imports nothing of ours."""
