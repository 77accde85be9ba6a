"""What stands beside a person who serves: the packet at the handover, suggestions, what the messages say."""
