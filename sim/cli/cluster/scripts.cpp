#include "scripts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "job_files.hpp"

namespace tokenomics::cli {
namespace {

/// Text for a comment: on one line whatever the sweep is called.
std::string comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

/// Slurm copies a script elsewhere before it runs it, so everything is named by its absolute path.
std::string variables(const ScriptParts& parts) {
  return fmt::format("program={}\nfolder={}\nexport TOKENOMICS_CATALOGUE={}\n", shell_word(parts.program),
                     shell_word(parts.folder), shell_word(parts.catalogues.front()));
}

/// An array of bash. It is never empty, which old versions take for an unset variable.
std::string command(const std::string& words, const ScriptParts& parts) {
  std::string text = "command=(\"$program\" sweep " + words;
  for (std::size_t i = 1; i < parts.catalogues.size(); ++i) text += " --catalogue " + shell_word(parts.catalogues[i]);
  return text + ")\n";
}

// What the script is beside the command: a log, a way to end, and further attempts.
constexpr const char* kArrayBody = R"(
log=$folder/slurm/logs/shard-$index.log
# A log stays only where something went wrong: a file a task would be too many for some file systems.
if [[ ${SLURM_JOB_ID:-} ]]; then exec >>"$log" 2>&1; fi

child='' told_to_end=''
# Pre-emption and the end of the time limit: the shard keeps its rows, and 75 asks to be started again.
end_child() {
  told_to_end=1
  if [[ $child ]]; then kill -TERM "$child" 2>/dev/null; fi
}
trap end_child TERM

for attempt in 1 2 3; do
  "${command[@]}" &
  child=$!
  if [[ $told_to_end ]]; then end_child; fi  # told before there was a child
  wait "$child"
  status=$?
  if [[ $told_to_end ]]; then
    wait "$child"  # the first wait was cut short by the signal
    echo "shard $index: told to end; what it made is kept"
    exit 75
  fi
  case $status in
    0) rm -f -- "$log"; exit 0 ;;
    2 | 75) exit "$status" ;;  # bad input fails again; 75 has been told to end by somebody else
  esac
  echo "shard $index: attempt $attempt ended with $status"
  if ((attempt < 3)); then sleep 1; fi
done
exit "$status"
)";

}  // namespace

std::string array_script(const ScriptParts& parts) {
  return fmt::format(
             "#!/bin/bash\n"
             "# Makes one shard of the sweep {}: number SLURM_ARRAY_TASK_ID + $1. Written anew by each submission.\n"
             "#SBATCH --ntasks=1\n"
             "#SBATCH --cpus-per-task={}\n"
             "#SBATCH --output=/dev/null\n"
             "#SBATCH --requeue\n"
             "#SBATCH --signal=B:TERM@30\n"
             "set -u\n",
             comment(parts.name), parts.cpus) +
         variables(parts) + "index=$((SLURM_ARRAY_TASK_ID + ${1:-0}))\n" +
         command(fmt::format("shard \"$folder\" --index \"$index\" --of {} --jobs {} --quiet", parts.shards, parts.cpus),
                 parts) +
         kArrayBody;
}

std::string merge_script(const ScriptParts& parts) {
  return fmt::format(
             "#!/bin/bash\n"
             "# Merges the shards of the sweep {}. Ends with 1 and names those that are missing. $1: more options.\n"
             "#SBATCH --ntasks=1\n"
             "#SBATCH --output=/dev/null\n"
             "#SBATCH --requeue\n"
             "set -u\n",
             comment(parts.name)) +
         variables(parts) + command("merge \"$folder\"", parts) +
         "if [[ ${SLURM_JOB_ID:-} ]]; then exec >\"$folder/slurm/merge.log\" 2>&1; fi\n"
         "exec \"${command[@]}\" \"$@\"\n";
}

}  // namespace tokenomics::cli
