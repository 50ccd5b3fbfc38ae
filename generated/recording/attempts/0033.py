"""Change round three L-shaped blocks that fill three fixtures."""

from gensim_envs.api import Ell, Fixture, Scene, Task


class MatchTheFixtures(Task):
    """Change three L-shaped blocks round, each into the fixture that is named for it."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(6)
        fixtures = [scene.add(Fixture(color)) for color in colors[:3]]
        ells = [
            scene.add(Ell(color), at=fixture.pose) for color, fixture in zip(colors[3:], fixtures)
        ]
        aside = scene.reserve(radius=0.08)
        a, b, c = fixtures
        blocks = [f"the {color} L-shaped block" for color in colors[3:]]

        scene.goal(
            f"put {blocks[0]} into the {b}, {blocks[1]} into the {c} and {blocks[2]} into the {a}",
            ells,
            at=[b, c, a],
        )
        scene.plan(ells[0], at=aside)
        scene.plan(ells[2], at=a)
        scene.plan(ells[1], at=c)
        scene.plan(ells[0], at=b)
