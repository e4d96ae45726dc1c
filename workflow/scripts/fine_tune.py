"""Rule fine_tune: to come."""
