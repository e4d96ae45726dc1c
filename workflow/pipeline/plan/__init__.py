"""What an experiment needs, counted from its config alone (`make plan`)."""
