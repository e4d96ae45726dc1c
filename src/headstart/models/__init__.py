"""The model to take home: a run is chosen, trained again to its best step, written for others to load, described, used.

Whoever has the folder needs no pipeline; `python -m headstart.models` tells what is on pictures.
"""
