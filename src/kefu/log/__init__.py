"""What happened: one append-only log for every stream (a session, a customer, …)."""
