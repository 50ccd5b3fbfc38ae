"""Translate programs of the original GenSim into programs of this suite."""
