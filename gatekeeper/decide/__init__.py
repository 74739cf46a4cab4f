"""Rules, pure: what a policy asks, what the data say, what is done about it."""
