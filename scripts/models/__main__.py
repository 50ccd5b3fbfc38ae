"""`python -m scripts.models` writes the models and their catalogue."""

from scripts.models.build import main

main()
