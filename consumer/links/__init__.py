"""From link files to published versions: reading, checking, planning and publishing."""
