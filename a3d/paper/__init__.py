"""Does the paper hold: experiments, ablations, claims."""
