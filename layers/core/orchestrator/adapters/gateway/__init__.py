"""The agent's only way out: model calls with the credential, tunnels to allowed hosts, the ledger of both."""
