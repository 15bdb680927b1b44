"""Everything that leaves this machine: connections, TLS, the egress rule, signatures."""
