"""From a scene to a picture and its truth, on the CPU."""
