"""The independent check is itself checked: planted faults must be found."""
