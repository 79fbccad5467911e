#include "submission.hpp"

#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

using Words = std::vector<std::string>;
/// Takes sbatch's words and the jobs to be waited for; returns the new job's id.
using Sender = std::function<std::string(const Words& words, const Words& after)>;

// afterany, never afterok: with that, a task that failed once and was started again leaves the job waiting for ever.
std::string dependency(const Words& after) { return fmt::format("--dependency=afterany:{}", fmt::join(after, ":")); }

void each_job(const JobFiles& files, const Submission& submission, const Sender& send_job, Submitted& done) {
  for (const ArrayPart& part : submission.parts) {
    // A throttle holds inside one array, so with one the arrays follow each other.
    const bool follows = submission.is_throttled && !done.arrays.empty();
    done.arrays.push_back(send_job(files.array_words(part), follows ? Words{done.arrays.back()} : Words{}));
  }
  if (submission.has_merge) done.merge = send_job(files.merge_words(submission.wants_json), done.arrays);
}

std::string sent(Words words, const Words& after) {
  if (!after.empty()) words.insert(words.begin() + 1, dependency(after));
  return submit(words);
}

}  // namespace

std::vector<std::string> Submitted::all() const {
  Words ids = arrays;
  if (!merge.empty()) ids.push_back(merge);
  return ids;
}

Submitted send(const JobFiles& files, const Submission& submission) {
  Submitted done;
  try {
    each_job(files, submission, sent, done);
  } catch (const IoError& error) {
    const std::string taken = done.arrays.empty() ? "nothing" : fmt::format("only {}", fmt::join(done.arrays, ", "));
    throw IoError(fmt::format("{}; {} was submitted", error.what(), taken));
  }
  return done;
}

std::string shell_lines(const JobFiles& files, const Submission& submission) {
  std::string lines;
  int count = 0;
  const auto print = [&](const Words& words, const Words& after) {
    const std::string id = fmt::format("job{}", ++count);
    lines += fmt::format("{}=$(sbatch {}{})\n", id, after.empty() ? "" : dependency(after) + " ",
                         shell_line({words.begin() + 1, words.end()}));
    return fmt::format("${{{}%%;*}}", id);  // sbatch may answer "id;cluster"
  };
  Submitted done;
  each_job(files, submission, print, done);
  return lines;
}

}  // namespace tokenomics::cli
