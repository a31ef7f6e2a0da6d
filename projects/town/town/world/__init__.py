"""The files of a world: images, matches, map and lists."""
