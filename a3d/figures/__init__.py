"""Pictures of everything, in one look: Plotly figures, the report of a run."""

from a3d.figures.evidence import NOT_SEEN, cuboid_figure, film_strip, probabilities_figure, shares_figure
from a3d.figures.live import live_figure
from a3d.figures.look import FULL, SUB
from a3d.figures.multiples import Caption, small_multiples
from a3d.figures.occlusion import occlusion_figure
from a3d.figures.progress import accuracy_figure, sampled_figure, training_figure
from a3d.figures.tradeoff import STEPS, tradeoff_figure
