# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
# Set-up shared by scripts/run and scripts/test, which source it: packages, configure, build. Quiet on success; the
# noise goes to build/<name>.log and its end is shown on failure.

set -euo pipefail

tokenomics_root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")

tokenomics_build_packages=(g++ cmake ninja-build libboost-program-options-dev libboost-iostreams-dev libeigen3-dev
                           nlohmann-json3-dev libfmt-dev libvalijson-dev librandom123-dev libmuparser-dev)
tokenomics_test_packages=(catch2 librapidcheck-dev ccache clang-format python3)
tokenomics_cluster_packages=(slurmctld slurmd slurm-client munge)

say() { printf '%s\n' "$*" >&2; }

# fail STATUS LOG MESSAGE: the message, the end of the log, and out.
fail() {
  say "$3; the end of $2:"
  tail -n 60 -- "$2" >&2
  exit "$1"
}

# missing_packages PACKAGE...: those that dpkg does not have installed, one a line.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    case $'\n'$installed$'\n' in
      *$'\n'"$package installed"$'\n'*) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

# install_packages LOG PACKAGE...: installs what is missing in one apt-get call. Elsewhere than on Debian and Ubuntu
# this does nothing, and the configure step names what it cannot find.
install_packages() {
  local log=$1 missing
  shift
  command -v dpkg-query >/dev/null || return 0
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    say "Packages are missing. Install them, then run this again:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    exit 2
  fi
  say "installing packages, once: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # One unreachable source of several must not stop us: whether the packages can be had, the next line tells.
  apt-get update </dev/null >>"$log" 2>&1 9>&- || true
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null >>"$log" 2>&1 9>&- ||
    fail 4 "$log" "apt-get could not install ${missing[*]}"
}

# parallel_jobs: the cores, but no more than one compiler for each 1.5 GiB of free memory.
parallel_jobs() {
  local jobs available_kib
  jobs=$(nproc)
  available_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
  if [[ $available_kib ]] && ((jobs > available_kib / 1572864)); then jobs=$((available_kib / 1572864)); fi
  printf '%s\n' "$((jobs > 0 ? jobs : 1))"
}

# configure FOLDER LOG CMAKE_ARGUMENT...: once; later changes of CMakeLists.txt are picked up by the build itself. A
# folder configured for another place (a moved clone) starts afresh.
configure() {
  local folder=$1 log=$2 fresh=()
  shift 2
  if [[ -e $folder/build.ninja ]] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$tokenomics_root" "$folder/CMakeCache.txt"
  then return 0; fi
  if [[ -e $folder/CMakeCache.txt ]]; then fresh=(--fresh); fi
  cmake "${fresh[@]}" -S "$tokenomics_root" -B "$folder" -G Ninja "$@" </dev/null >>"$log" 2>&1 9>&- ||
    fail 4 "$log" "configuring failed"
}

# build FOLDER LOG TARGET...: brings the targets up to date.
build() {
  local folder=$1 log=$2
  shift 2
  cmake --build "$folder" --parallel "$(parallel_jobs)" --target "$@" </dev/null >>"$log" 2>&1 9>&- ||
    fail 4 "$log" "the build failed"
}

# begin_setup NAME: the log of this run, and a lock so that two runs in one clone do not build at the same time.
begin_setup() {
  mkdir -p -- "$tokenomics_root/build"
  exec 9>"$tokenomics_root/build/.$1.lock"
  flock 9
  tokenomics_log=$tokenomics_root/build/$1.log
  : >"$tokenomics_log"
}

end_setup() { exec 9>&-; }
