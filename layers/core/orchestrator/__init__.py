"""The application: a label on a Jira issue becomes a job, a job becomes a comment or a pull request."""
