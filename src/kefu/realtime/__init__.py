"""Live delivery: a hub per process, streams to visitors and agents."""
