"""What a user can put right."""


class AgentsError(Exception):
    """Something is wrong that the message names, with its remedy."""
