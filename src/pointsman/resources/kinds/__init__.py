"""The schema of each kind; `base` and the modules named by parts hold what kinds share."""
