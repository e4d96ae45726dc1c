"""Rule sweep_neighbours: to come."""
