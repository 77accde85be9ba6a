"""A visitor's conversations over time: the earlier ones, their transcripts, and joining or dividing them."""
