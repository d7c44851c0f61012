"""Training: one loop for every recipe, ramps for its numbers, one small object for each training method."""
