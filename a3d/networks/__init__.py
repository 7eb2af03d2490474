"""Adaptive 3D networks: one set of weights, many configurations."""
