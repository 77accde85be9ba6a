"""The team: who is hired, changed, locked out; what each role may do."""
