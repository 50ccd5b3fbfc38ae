"""Stack a double rainbow: two towers in opposite orders of colour."""

from gensim_envs.api import Block, Scene, Stand, Task, stack

RAINBOW = {  # from the inside of the bow to the outside, as far as the split has the colours
    "train": ("blue", "cyan", "green", "yellow", "red"),
    "test": ("purple", "blue", "green", "orange", "red"),
}
HILL = (0.05, 0.05, 0.015)  # metres


class RainbowStack(Task):
    """Stack a rainbow on one stand and a second one, its colours reversed, on the other."""

    def build(self, scene: Scene) -> None:
        bow = RAINBOW[scene.split]
        left_out = scene.rng.integers(len(bow))
        colors = [color for k, color in enumerate(bow) if k != left_out]
        earths = scene.colors(3, exclude=colors)
        hills = [scene.add(Stand(earth, extents=HILL)) for earth in earths[:2]]

        bows = {"main rainbow": colors, "second rainbow": colors[::-1]}
        for hill, (name, order) in zip(hills, bows.items()):
            blocks = [scene.add(Block(color)) for color in order]
            top = hill.pose.up(HILL[2])
            scene.goal(
                f"stack the {name} on the {hill}: {', '.join(order[:-1])} and {order[-1]} blocks "
                "from the bottom up",
                blocks,
                at=stack(top, 4, 0.04),
            )

        scene.distract(Block(earths[2]), count=2)
