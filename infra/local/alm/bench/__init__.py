"""`make bench`: what the orchestrator costs beyond a bare clone and a bare CLI, as ratios measured in one run."""
