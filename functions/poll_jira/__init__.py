"""ALM Orchestrator."""
