"""What any web product needs. Knows no customer, no session."""
