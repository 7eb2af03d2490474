"""How good is it: evaluation of clips and of boxes, calibration, metrics."""
