"""Who wants to know now. A bus may lose what it carries; the log never does."""
