"""What became of runs, where a library's tasks lie, and what they are made of."""
