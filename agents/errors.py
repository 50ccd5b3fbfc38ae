"""Errors of the agents package that a user can fix."""

from gensim_envs.errors import GensimError


class AgentsError(GensimError):
    """A command cannot continue; the message names what is wrong and the remedy."""

    exit_code = 2


class Stopped(AgentsError):
    """Training was asked to stop, and has saved a checkpoint to resume from."""

    exit_code = 130
