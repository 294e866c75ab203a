"""Where manifests come from: files and folders, and changes to them. Feeds the store."""
