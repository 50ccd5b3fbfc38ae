"""What goes wrong for a reason that whoever runs the command can remove."""


class AgentsError(Exception):
    """Something that cannot go on; the message names the thing and the remedy."""


class Stopped(AgentsError):
    """Training was asked to stop and has saved what it needs to go on."""
