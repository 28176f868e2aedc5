"""The Claude Code CLI: how it is called, watched and ended."""
