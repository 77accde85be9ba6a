"""What the shop knows: articles and question–answer pairs, and the one search over their passages."""
