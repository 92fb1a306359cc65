"""What a click costs, measured beside a yardstick on the same broker in the same run: `make bench`."""
