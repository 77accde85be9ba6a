"""Other doors than the chat: mail."""
