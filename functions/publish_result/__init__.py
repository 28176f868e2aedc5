"""The function that tells the ticket how its job ended."""
