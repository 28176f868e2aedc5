"""Local stand-ins for Jira Cloud and GitHub: real HTTP, and what a person does as plain calls."""
