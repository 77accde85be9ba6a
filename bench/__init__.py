"""Load on the running service, measured against a bare endpoint of the same server in the same run."""
