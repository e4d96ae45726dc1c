"""Read a config, fill in its defaults, and refuse what cannot work."""
