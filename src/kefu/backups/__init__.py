"""Copies of everything, sealed, elsewhere; and the way back (docs/operate/backup.md)."""
