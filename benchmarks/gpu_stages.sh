#!/usr/bin/env bash
# What a GPU is for here, in stages of growing length; each leaves its results behind, and a second call goes on where
# the first was interrupted. Results lie below results/gpu.
#
#   bash benchmarks/gpu_stages.sh                    all stages, in order
#   bash benchmarks/gpu_stages.sh tests speed        some of them
#   bash benchmarks/gpu_stages.sh --dry-run          what would run, on any machine
#   STAGE_MINUTES=9 bash benchmarks/gpu_stages.sh    each stage ends after 9 minutes, to be resumed by the next call
set -euo pipefail
cd "$(dirname "$0")/.."

stages=(tests speed calibrate cifar mnist lenet)
dry=""
if [ "${1:-}" = "--dry-run" ]; then dry="--dry-run"; shift; fi
if [ $# -gt 0 ]; then stages=("$@"); fi

limited() { timeout --signal=INT --kill-after=60 "$((${STAGE_MINUTES:-1440} * 60))" "$@"; }

run() { if [ -n "$dry" ]; then echo "would run: $*"; else limited "$@"; fi; }

make_targets() { limited snakemake --profile profiles/gpu --rerun-incomplete ${dry:+--dry-run --quiet rules} -- "$@"; }

figures() { printf 'results/gpu/figures/%s.pdf\n' "$@"; }

stage() {
  case "$1" in
    tests) run pytest -k "cuda or gpu or device" -rs ;;
    speed) run python benchmarks/speed.py --device cuda --output results/gpu/speed ;;
    calibrate) make_targets calibrate plan ;;
    cifar) make_targets $(figures invariance/fig2) ;;
    mnist) make_targets $(figures invariance/{fig1,fig3} tradeoff/{fig6,fig13} cusp/{fig8,fig15}) ;;
    lenet) make_targets $(figures invariance/fig5) ;; # 100,000 steps of PGD-40: the longest, so last
    *) echo "no stage $1: tests speed calibrate cifar mnist lenet" >&2; return 2 ;;
  esac
}

for name in "${stages[@]}"; do
  printf '== %s\n' "$name"
  status=0
  stage "$name" || status=$?
  if [ "$status" = 124 ]; then
    echo "$name: its ${STAGE_MINUTES:-1440} minutes are over; call again to go on"
  elif [ "$status" != 0 ]; then
    exit "$status"
  fi
done
