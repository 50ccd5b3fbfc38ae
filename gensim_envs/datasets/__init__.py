"""Oracle episodes as Minari datasets."""

from gensim_envs.datasets.folder import DemosError
from gensim_envs.datasets.record import Played, Progress, Summary, record

__all__ = ["DemosError", "Played", "Progress", "Summary", "record"]
