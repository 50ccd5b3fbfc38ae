"""Carry a bowl from a pallet into a painted corner."""

from gensim_envs.api import Bowl, Corner, Pallet, Pose, Scene, Task


class MoveBowlFromPalletToCorner(Task):
    """Take the bowl off the pallet and set it into the corner, snug against both arms."""

    def build(self, scene: Scene) -> None:
        wood, paint, clay, *others = scene.colors(5)
        corner = scene.add(Corner(paint), at=scene.reserve(radius=0.13))
        pallet = scene.add(Pallet(wood))
        bowl = scene.add(Bowl(clay), at=pallet.pose.up(pallet.asset.height))
        radius = bowl.asset.size[0] / 2 + 0.001

        scene.goal(
            f"carry the {bowl}, the raised one, into the {corner}, against both of its arms",
            bowl,
            at=corner.pose @ Pose(radius, radius),
        )

        for color in others:
            scene.distract(Bowl(color))
