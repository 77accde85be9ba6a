"""What a message says of its writer: tone, urgency, intent, wishes. Pure: knows no session and no database."""
