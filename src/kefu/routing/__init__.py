"""Who takes a session: the queue, assignment, transfers, and who is on duty."""
