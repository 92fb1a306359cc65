"""The simulator: workers, network and clock driven by one seed; see docs/simulator.md."""
