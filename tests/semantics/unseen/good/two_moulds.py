"""Two L-shaped holes, two ells."""

from gensim_envs.api import Ell, Fixture, Scene, Task


class TwoMoulds(Task):
    """Each ell has a mould of its own; fit both."""

    def build(self, scene: Scene) -> None:
        here, there, first, second = scene.colors(4)
        moulds = [scene.add(Fixture(color)) for color in (here, there)]
        ells = [scene.add(Ell(color)) for color in (first, second)]

        scene.goal(
            f"fit the {first} ell in the {here} fixture, whereas the {second} ell takes"
            f" the {there} one",
            ells,
            at=[mould.pose for mould in moulds],
        )
