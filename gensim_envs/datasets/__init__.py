"""Oracle episodes as Minari datasets."""

from gensim_envs.datasets.folder import DatasetError
from gensim_envs.datasets.record import Played, Progress, Summary, record

__all__ = ["DatasetError", "Played", "Progress", "Summary", "record"]
