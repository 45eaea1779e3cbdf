"""What a run has counted so far, for monitoring systems: `live` names the figures, the other modules publish them."""
