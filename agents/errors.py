"""What goes wrong for a reason that whoever runs the command can remove."""

from gensim_envs.errors import GensimError


class AgentsError(GensimError):
    """Something that cannot go on; the message names the thing and the remedy."""


class Stopped(AgentsError):
    """Training was asked to stop and has saved what it needs to go on."""
