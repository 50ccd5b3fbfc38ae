"""Training, with or without a simulator."""
