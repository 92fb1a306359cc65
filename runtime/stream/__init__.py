"""Consuming, deciding and producing in transactions: the parts that every worker has."""
