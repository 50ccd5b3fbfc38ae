"""Coloured cubes around a bowl."""

from gensim_envs.api import Block, Bowl, Scene, Task, ring

RADIUS = 0.11  # metres


class Roundabout(Task):
    """Arrange cubes round a bowl so that the colours come up in the named sense of rotation."""

    def build(self, scene: Scene) -> None:
        clay, *colors = scene.colors(5)
        bowl = scene.add(Bowl(clay), fixed=True)
        cubes = [scene.add(Block(color)) for color in colors]
        # From above, the spots of a ring follow one another counter-clockwise.
        spots = ring(scene.pattern(bowl, mirror=False), count=4, radius=RADIUS)

        one, two, three, four = colors
        scene.goal(
            f"surround the {clay} bowl at 11 cm: seen from above and going counter-clockwise, {one}"
            f" comes before {two}, {two} before {three} and {three} before {four}",
            cubes,
            at=spots,
        )
