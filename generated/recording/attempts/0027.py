"""Fill a crate with soup cans that arrive one by one, first of one colour, then of another."""

from gensim_envs.api import Container, Household, Scene, Task


class FillTheCrate(Task):
    """Put six soup cans into the named crate as they arrive, some of one colour, then the rest."""

    def build(self, scene: Scene) -> None:
        tin, steel, *labels, other = scene.colors(5, exclude=["gray", "white"])  # cans do not show in them
        crate, _ = (scene.add(Container(color, (0.22, 0.15, 0.06))) for color in (tin, steel))
        count = int(scene.rng.integers(2, 5))
        for label, number in zip(labels, (count, 6 - count)):
            cans = scene.add(Household(label, "soup_can"), count=number, one_by_one=True)
            scene.goal(
                f"put all the {cans} into the {crate} as they arrive", cans, inside=crate
            )
        scene.distract(Household(other, "soup_can"))
