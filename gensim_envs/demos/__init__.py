"""Oracle episodes as Minari datasets."""

from gensim_envs.demos.folder import DemosError
from gensim_envs.demos.record import Played, Progress, Summary, record

__all__ = ["DemosError", "Played", "Progress", "Summary", "record"]
