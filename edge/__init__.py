"""The HTTP edge: answers clicks on tracked links and publishes them, each recorded before its answer."""
