"""What the team and its leads look at in figures."""
