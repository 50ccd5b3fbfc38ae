"""Checks of a task that need no physics. Each failure names the goal and the remedy."""
