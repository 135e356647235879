"""The Hetzner Cloud API: https://docs.hetzner.cloud/reference/cloud."""
