#!/usr/bin/env bash
# The papers on real data in two nights of two cores, in stages by what they tell; each stage leaves its results in a
# folder of its own, and a second call goes on where the first was interrupted (Ctrl-C, kill, power).
#
#   bash profiles/overnight/nights.sh                         all stages, in order
#   bash profiles/overnight/nights.sh 1_mnist 5_mnist_pgd     some of them
#   bash profiles/overnight/nights.sh --dry-run [stage ...]   what is left to do
#
#   RESULTS=/path   where results go (default: results/overnight), DATA=/path where prepared data sets go
#   DATA_MIRROR=/path   a folder with the archives, for machines without a network
#   DEVICE=cuda         on one GPU, four jobs at a time; its arithmetic trains slightly different networks
set -euo pipefail
cd "$(dirname "$0")/../.."

# Small networks leave most of a GPU idle: four jobs share it.
gpu=()
if [ "${DEVICE:-cpu}" = cuda ]; then gpu=(--cores 8 --resources gpu=4); fi

stages=(1_mnist 1_mnist_seeds 2_cifar_half 3_cifar_pgd 4_cifar_cusp 5_mnist_pgd 6_cifar_oaat 7_cifar_features 8_cifar_full 9_mnist_longer)
dry=()
if [ "${1:-}" = "--dry-run" ]; then dry=(--dry-run --quiet rules host reason); shift; fi
if [ $# -gt 0 ]; then stages=("$@"); fi

# What a stage makes, below its results. The claims of a paper are judged where the stage has most of it.
files_of() {
  case "$1" in
    1_mnist) echo figures/{invariance/{fig1,fig3,theory},tradeoff/{fig6,fig13,fig14,theory},cusp/{fig5,fig8,fig15,fig16,theory}}.pdf \
      tables/{invariance/table1,tradeoff/table1,cusp/table2}.csv claims/{invariance,tradeoff,cusp}.csv ;;
    1_mnist_seeds) echo figures/invariance/fig1.pdf claims/invariance.csv ;;
    2_cifar_half) echo figures/{invariance/fig2,tradeoff/{fig1,fig2,fig14}}.pdf claims/{invariance,tradeoff}.csv ;;
    3_cifar_pgd) echo figures/tradeoff/{fig2,fig10,fig12}.pdf claims/tradeoff.csv ;;
    4_cifar_cusp) echo figures/cusp/fig6.pdf tables/cusp/{table1,table3}.csv claims/cusp.csv ;;
    5_mnist_pgd) echo figures/{invariance/fig5,tradeoff/fig7}.pdf claims/{invariance,tradeoff}.csv ;;
    6_cifar_oaat) echo tables/oaat/{table1,sanity}.csv claims/oaat.csv ;;
    7_cifar_features) echo figures/features/{fig1,fig2,fig3}.pdf tables/features/{table1,table4}.csv claims/features.csv ;;
    8_cifar_full) echo figures/invariance/fig2.pdf ;;
    9_mnist_longer) echo figures/{invariance/fig1,tradeoff/fig6}.pdf claims/{invariance,tradeoff}.csv ;;
    *) echo "no stage $1: ${stages[*]}" >&2; return 2 ;;
  esac
}

# Stage 1_mnist has trained and evaluated the first of three seeds.
copy_first_seed() {
  for made in runs evaluations; do
    if [ -d "$1/$made/mnist/stdcnn" ]; then
      mkdir -p "$2/$made/mnist/stdcnn"
      cp -rn "$1/$made/mnist/stdcnn"/{natural,rotate[0-9]}* "$2/$made/mnist/stdcnn"
    fi
  done
}

for stage in "${stages[@]}"; do
  printf '== %s\n' "$stage"
  results="${RESULTS:-results/overnight}/$stage"
  listed=$(files_of "$stage")
  read -r -a files <<< "$listed"
  asked=(snakemake --profile profiles/overnight --configfile "profiles/overnight/$stage.yaml" "${dry[@]}" "${gpu[@]}" --config
    results="$results" data="${DATA:-data}" ${DATA_MIRROR:+data_mirror="$DATA_MIRROR"} ${gpu:+device=cuda jobs_per_gpu=4} --)
  if [ ${#dry[@]} = 0 ] && [ "$stage" = 1_mnist_seeds ]; then copy_first_seed "${results%_seeds}" "$results"; fi
  # what it will cost on this machine, before the night is spent
  if [ ${#dry[@]} = 0 ] && [ ! -e "$results/calibration.json" ]; then
    nice -n 19 "${asked[@]}" calibrate
    nice -n 19 "${asked[@]}" plan
  fi
  nice -n 19 "${asked[@]}" "${files[@]/#/$results/}"
  # what it was planned to cost, and what it did: seconds of the clock and of the CPU, by run and evaluation
  if [ ${#dry[@]} = 0 ]; then nice -n 19 "${asked[@]}" plan provenance; fi
done
