"""Files that become knowledge: what may be given, how it is read, and what becomes of it."""
