"""The engine: networks that run at any width, and their parts."""
