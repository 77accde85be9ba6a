"""Whose shop it is: its name, look, languages and bot."""
