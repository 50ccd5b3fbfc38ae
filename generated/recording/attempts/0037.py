"""Insert two L-shaped blocks, each into the fixture of its own colour."""

from gensim_envs.api import Ell, Fixture, Scene, Task


class MatchTheFixtures(Task):
    """Put each L-shaped block into the fixture that has its colour."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(2)
        fixtures = [scene.add(Fixture(color)) for color in colors]
        ells = [scene.add(Ell(color)) for color in colors]

        for color, ell, fixture in zip(colors, ells, fixtures):
            scene.goal(f"put the {color} L-shaped block into the {fixture}", ell, at=fixture)
