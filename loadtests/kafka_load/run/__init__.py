"""One run from its preparation to its end: the coordinator, and what each worker process does."""
