"""The wire: records, codecs and ids."""
