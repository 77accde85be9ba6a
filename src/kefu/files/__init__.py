"""Files that are sent with messages: what may come, how it is made harmless, where it lies."""
