"""What must still be done: rows written in the transaction that asks for the work."""
