"""Carry bowls from a pallet into painted corners."""

from gensim_envs.api import Bowl, Corner, Pallet, Pose, Scene, Task, line

PALLET = (0.39, 0.13, 0.02)  # metres: room for three bowls in a row
PITCH = 0.128  # metres from the middle of a bowl to the next


class MoveBowlFromPalletToCorner(Task):
    """Take three bowls off the pallet, each into the corner named and against both of its arms."""

    def build(self, scene: Scene) -> None:
        wood, *colors = scene.colors(7)
        paints, clays = colors[:3], colors[3:]
        half = Bowl(wood).size[0] / 2
        pallet = scene.add(Pallet(wood, extents=PALLET))
        corners = [
            scene.add(Corner(paint), at=scene.reserve(radius=0.094) @ Pose(-0.055, -0.055))
            for paint in paints
        ]
        places = line(pallet.pose.up(PALLET[2]), 3, PITCH)
        bowls = [scene.add(Bowl(clay), at=place) for clay, place in zip(clays, places)]

        for bowl, corner in zip(bowls, corners):
            scene.goal(
                f"take the {bowl} down into the {corner}, snug against both of its arms",
                bowl,
                at=corner.pose @ Pose(half, half),
            )
