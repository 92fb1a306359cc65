"""`link-actions state repartition`: another number of partitions, with what is remembered."""
