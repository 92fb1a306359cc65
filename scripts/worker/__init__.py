"""Runs the scripts that updates ask for, and emits their effects in the transaction that commits the update."""
