"""A long run with faults: two workers, each killed at random while clicks flow, judged at the end: `make faults`."""
