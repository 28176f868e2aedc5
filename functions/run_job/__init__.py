"""The container that runs one job."""
