"""What tests on a real Kafka work with: real worker processes, clicks, links, and waiting for what must come."""
