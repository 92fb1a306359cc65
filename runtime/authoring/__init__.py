"""Files that authors write, and the topics that their definitions are published to."""
