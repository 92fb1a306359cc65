"""From link files to the next versions, without a broker."""
