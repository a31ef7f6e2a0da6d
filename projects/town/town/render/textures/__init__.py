"""How each material looks at given points, in every condition."""

from collections.abc import Callable

from ...scene.primitives import Material
from . import ground, objects
from .facade import facade
from .samples import Look, Samples

TEXTURES: dict[Material, Callable[[Samples], Look]] = {
    Material.ROAD: ground.road,
    Material.SIDEWALK: ground.sidewalk,
    Material.GRASS: ground.grass,
    Material.FACADE: facade,
    Material.ROOF: objects.roof,
    Material.PLAIN: objects.plain,
    Material.WALL: objects.garden_wall,
    Material.FENCE: objects.plain,
    Material.HEDGE: objects.hedge,
    Material.POLE: objects.plain,
    Material.LAMP: objects.lamp,
    Material.TRAFFIC_LIGHT: objects.traffic_light,
    Material.SIGN: objects.sign,
    Material.SIGN_BACK: objects.plain,
    Material.TRUNK: objects.bark,
    Material.LEAF: objects.leaves,
    Material.BRANCH: objects.bark,
    Material.FOREST: objects.forest,
    Material.CAR_PAINT: objects.car_paint,
    Material.CAR_GLASS: objects.car_glass,
    Material.WHEEL: objects.wheel,
    Material.CAR_LIGHT: objects.car_light,
    Material.PERSON: objects.person,
}
