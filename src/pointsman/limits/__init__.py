"""What the control plane counts for all proxies: shared rates and quotas, leased over RLQS."""
