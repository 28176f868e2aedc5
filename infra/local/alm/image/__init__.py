"""The worker image on this machine: built, and run the way Fargate and Lambda run it."""
