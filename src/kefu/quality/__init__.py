"""Whether the bot is good enough: golden questions, their scores, the gate before publishing, and the shadow mode."""
