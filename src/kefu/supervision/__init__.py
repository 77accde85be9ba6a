"""The policies that watch the bot: when a person must be asked for, whatever the bot would say."""
