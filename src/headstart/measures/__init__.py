"""How similar each target class is to each source class: by what images show, by WordNet, by words.

Matrices (T, S) leave this room; which rows of a head come of them is the business of `heads`.
"""
