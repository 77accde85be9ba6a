"""What agents do for each other around a session: notes, tags, quick replies, drafts, asking a colleague."""
