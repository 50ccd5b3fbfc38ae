"""A padlock serves as a paperweight."""

from gensim_envs.api import Household, Scene, Task


class Paperweight(Task):
    """Weigh one of two books down with a padlock."""

    def build(self, scene: Scene) -> None:
        novel, diary, brass = scene.colors(3)
        books = [scene.add(Household(color, "book"), fixed=True) for color in (novel, diary)]
        lock = scene.add(Household(brass, "padlock"))

        scene.goal(f"weigh the {novel} book down with the {brass} padlock", lock, on=books[-1])
