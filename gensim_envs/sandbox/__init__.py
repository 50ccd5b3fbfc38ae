"""Draw specs from programs that a model wrote, without trusting the programs."""
