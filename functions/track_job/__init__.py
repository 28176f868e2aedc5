"""The function that keeps a job's record and money for its worker."""
