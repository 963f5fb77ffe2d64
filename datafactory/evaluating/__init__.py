"""What students learned: trials, counted with their uncertainty."""
