"""A long run with faults: two workers, each killed at random while clicks flow, verified at the end: `make faults`."""
