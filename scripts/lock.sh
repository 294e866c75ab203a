#!/usr/bin/env bash
# Renews requirements/*.lock from pyproject.toml; releases of the last seven days are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
before=$(date -u -d '7 days ago' +%Y-%m-%dT00:00:00Z)
common=(--quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11 --exclude-newer "$before")
"$uv" pip compile "${common[@]}" --output-file requirements/run.lock pyproject.toml requirements/build.in
"$uv" pip compile "${common[@]}" --group dev --output-file requirements/dev.lock \
  --constraint requirements/run.lock pyproject.toml requirements/build.in
