"""Everything end to end on sample data: real workers, one of them killed, and a judge who shares no code with them."""
