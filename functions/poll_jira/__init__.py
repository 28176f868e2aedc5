"""The function that looks for labelled issues, every minute."""
