"""Everything a task program may import."""

from gensim_envs.task.arrangements import grid, line, pyramid, ring, square, stack, tiles
from gensim_envs.task.assets.holders import Bowl, Container, Fixture, Pallet, PegStand, Stand
from gensim_envs.task.assets.household import Household
from gensim_envs.task.assets.kit import KitBoard, KitPiece
from gensim_envs.task.assets.paint import Corner, Line, Mark, OpenSquare, Zone
from gensim_envs.task.assets.soft import Pile, Rope
from gensim_envs.task.assets.solids import Ball, Block, Box, Cylinder, Disk, Ell, Roof
from gensim_envs.task.items import Group, Item
from gensim_envs.task.pose import Pose
from gensim_envs.task.scene import Scene, Task

__all__ = [
    "Ball", "Block", "Bowl", "Box", "Container", "Corner", "Cylinder", "Disk", "Ell", "Fixture",
    "Group", "Household", "Item", "KitBoard", "KitPiece", "Line", "Mark", "OpenSquare", "Pallet",
    "PegStand", "Pile", "Pose", "Roof", "Rope", "Scene", "Stand", "Task", "Zone", "grid", "line",
    "pyramid", "ring", "square", "stack", "tiles",
]  # fmt: skip
