"""A cake and its candles."""

from gensim_envs.api import Cylinder, Scene, Task

CAKE = 0.15  # metres across
CANDLES = 5


class BirthdayCandles(Task):
    """Decorate a round cake with half a dozen candles along its rim."""

    def build(self, scene: Scene) -> None:
        icing, wax = scene.colors(2)
        cake = scene.add(Cylinder(icing, diameter=CAKE, length=0.03), fixed=True)
        candles = scene.add(Cylinder(wax, diameter=0.024, length=0.05), count=CANDLES)

        scene.goal(
            f"half a dozen slim {wax} cylinders should decorate the rim of the wide {icing} one",
            candles,
            on=cake,
            part="edge",
        )
