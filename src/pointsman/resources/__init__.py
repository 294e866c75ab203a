"""What people wrote: manifests as typed resources, and what is wrong with them. No I/O."""
