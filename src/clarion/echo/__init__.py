"""What became of it: outcomes written in groups, dead devices retired."""
