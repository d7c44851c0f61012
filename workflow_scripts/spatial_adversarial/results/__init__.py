"""Results as files and numbers: what evaluations hold, and the rows of figures and tables."""
