"""Formats of all records: schemas, codecs and ids."""
