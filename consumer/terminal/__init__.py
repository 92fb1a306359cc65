"""What is shown to people: texts that cannot steer a terminal, numbers with their nouns, and streams that take both."""
