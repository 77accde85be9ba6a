"""The bot's turn: from a visitor's message to an answer with its sources."""
