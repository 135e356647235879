"""The clouds' HTTP APIs on loopback, for the real providers and clients: nothing here costs or reaches anything."""
