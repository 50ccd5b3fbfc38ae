"""Evaluation of policies over fixed test seeds."""
