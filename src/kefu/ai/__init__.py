"""Model providers: one port, and who speaks it."""
