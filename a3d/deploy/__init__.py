"""Away from here: export, the runner without PyTorch, live streams under a deadline."""
