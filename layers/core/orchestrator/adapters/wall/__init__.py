"""The walls: one interface, three rungs and none at all, the ladder that chooses, the canary that tries them."""
