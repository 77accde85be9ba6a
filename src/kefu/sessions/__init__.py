"""The heart: a customer's conversation with a shop, its state and its log."""
