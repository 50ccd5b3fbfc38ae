"""`python -m gensim_envs.cli`."""

import sys

from gensim_envs.cli import main

if __name__ == "__main__":
    sys.exit(main())
