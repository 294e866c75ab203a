"""What proxies tell of the requests they carry: metrics in a short window, the latest requests."""
