#!/usr/bin/env bash
# Make again what follows from the pins in requirements*.txt: the locks, with the hashes of every package that they
# bring along, and conda's environment.yaml. Run it after an edit of a pin: bash envs/renew.sh (it needs uv).
set -euo pipefail
cd "$(dirname "$0")"

lock() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --custom-compile-command "bash envs/renew.sh" "${@:2}" --output-file "$1"
}
lock requirements.lock requirements.txt
lock requirements-dev.lock requirements-dev.txt requirements-slurm.txt

{
  cat << 'HEAD'
# The pins of requirements.txt, for conda and for --sdm conda, which copies this file alone; made by renew.sh.
# conda solves only for Python and pip here, so that the packages are those that were tested.
name: spatial-adversarial
channels: [conda-forge, nodefaults]
dependencies:
  - python=3.11
  - pip
  - pip:
HEAD
  grep -oE '^[a-zA-Z0-9_.-]+==[^ #]+' requirements.txt | sed 's/^/      - /'
} > environment.yaml
