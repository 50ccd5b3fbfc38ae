"""All tasks of a library on one page, and as a Markdown table."""

from gensim_envs.gallery.build import build

__all__ = ["build"]
