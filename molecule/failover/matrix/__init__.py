"""The failover matrix: rows of faults as data, the run of one row, what is seen of it, and the page at the end."""
