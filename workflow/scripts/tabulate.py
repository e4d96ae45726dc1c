"""Rule tabulate: to come."""
