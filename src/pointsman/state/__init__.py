"""What has to outlast this process: a database, its migrations, its revision and its audit log."""
