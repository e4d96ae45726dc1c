"""The first weights of the new last layer, from source rows, from images or at random; how many neighbours to blend.

Arrays only: no network is run here.
"""
