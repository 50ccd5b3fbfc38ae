"""The Tower of Hanoi with three disks."""

from gensim_envs.api import Disk, PegStand, Scene, Task

DIAMETERS = (0.105, 0.085, 0.065)  # metres, largest first
PEGS = ("first", "middle", "last")


def moves(disks: list[int], start: int, spare: int, end: int) -> list[tuple[int, int]]:
    """The (disk, peg) moves that carry `disks`, largest first, from one peg to another."""
    if not disks:
        return []
    largest, *smaller = disks
    return [
        *moves(smaller, start, end, spare),
        (largest, end),
        *moves(smaller, spare, start, end),
    ]


class TowersOfHanoi(Task):
    """Move the tower from the first peg to the last, never a larger disk on a smaller one."""

    def build(self, scene: Scene) -> None:
        board, *colors = scene.colors(4)
        stand = scene.add(PegStand(board))
        pegs = [stand.pose @ stand.asset.peg(k) for k in range(3)]
        disks = [
            scene.add(Disk(color, diameter=diameter), at=pegs[0].up(level * Disk.THICKNESS))
            for level, (color, diameter) in enumerate(zip(colors, DIAMETERS, strict=True))
        ]

        on_peg = [3, 0, 0]
        where = [0, 0, 0]
        for disk, peg in moves([0, 1, 2], 0, 1, 2):
            on_peg[where[disk]] -= 1
            place = pegs[peg].up(on_peg[peg] * Disk.THICKNESS)
            on_peg[peg] += 1
            where[disk] = peg
            scene.goal(f"move the {disks[disk]} to the {PEGS[peg]} peg", disks[disk], at=place)
