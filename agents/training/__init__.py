"""Training of policies: from demonstrations, with DAgger, and from reward."""
