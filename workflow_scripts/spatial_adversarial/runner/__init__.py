"""Under every job: files that are whole, logs and signals, GPU leases, seeds and devices."""
