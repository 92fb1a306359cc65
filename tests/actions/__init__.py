"""What each kind of action promises."""
