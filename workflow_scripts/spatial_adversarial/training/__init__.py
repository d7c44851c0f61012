"""Training: one loop for every recipe, schedules for its numbers, one small object for each training method."""
