"""The plan: the jobs that targets need, and what they will cost."""
