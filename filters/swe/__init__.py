"""Rules for trajectories on repositories: those of SWE-ZERO (arXiv 2604.01496, section 2), and a scanner for leaks."""
