"""What a job computes on: the device, its precision and memory, and the thread that reads ahead.

Nothing here knows images or classes.
"""
