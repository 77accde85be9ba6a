"""Handing a session over to a colleague: asking, answering, forcing, and who could take it."""
