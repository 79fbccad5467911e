#include "tokenomics/report/sweep_folder.hpp"

#include <rapidcheck/catch.h>

#include "report/sweeps.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using namespace test;

}  // namespace

TEST_CASE("a rows file is whole lines wherever it was cut, and goes on from there", "[report]") {
  const std::string head = "point,x\n";
  const std::string all = head + "0,a\n1,b\n2,c\n3,d\n";
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const Place place;
    write(place.in("rows.csv"), all.substr(0, size));
    if (size > 0 && size < head.size()) {
      // Half a head is cut off like half a row.
      CHECK(RowsFile(place.in("rows.csv"), head, 0, 4, kNumbered).next() == 0);
      continue;
    }
    {
      RowsFile file(place.in("rows.csv"), head, 0, 4, kNumbered);
      const char* const lines[] = {"0,a\n", "1,b\n", "2,c\n", "3,d\n"};
      for (std::uint64_t row = file.next(); row < 4; ++row) file.append(row, lines[row]);
      file.finish();
    }
    CHECK(content(place.in("rows.csv")) == all);
    CHECK(RowsFile::look(place.in("rows.csv"), head, 0, 4, kNumbered)->rows == 4);
    CHECK_FALSE(fs::exists(place.in("rows.csv.early")));
  }
}

TEST_CASE("rows that were ready before their turn are kept, half of one is not", "[report]") {
  const Place place;
  const std::string path = place.in("rows.csv");
  {
    RowsFile file(path, "", 10, 20, kAny);
    file.append(10, "ten\n");
    file.keep_early(12, "twelve\n");
    file.keep_early(15, "fifteen\n");
  }
  std::ofstream(path + ".early", std::ios::app) << "17\tseven";
  {
    RowsFile file(path, "", 10, 20, kAny);
    CHECK(file.next() == 11);
    CHECK(file.early() == std::map<std::uint64_t, std::string>{{12, "twelve\n"}, {15, "fifteen\n"}});
    file.append(11, "eleven\n");
    file.append(12, "twelve\n");
  }
  RowsFile file(path, "", 10, 20, kAny);
  CHECK(file.next() == 13);
  CHECK(file.early() == std::map<std::uint64_t, std::string>{{15, "fifteen\n"}});
}

TEST_CASE("a rows file has one writer, and its own columns", "[report]") {
  const Place place;
  const RowsFile file(place.in("rows.csv"), "a,b\n", 0, 2, kNumbered);
  CHECK_THROWS_WITH(RowsFile(place.in("rows.csv"), "a,b\n", 0, 2, kNumbered), Catch::Contains("another process is writing"));
  write(place.in("other.csv"), "a,c\n1,2\n");
  CHECK_THROWS_WITH(RowsFile(place.in("other.csv"), "a,b\n", 0, 2, kNumbered), Catch::Contains("other columns"));
  CHECK(content(place.in("other.csv")) == "a,c\n1,2\n");
}

TEST_CASE("rows are known by how they begin: a file that was changed is refused", "[report]") {
  const Place place;
  const auto fault_of_text = [&](const std::string& text) {
    write(place.in("rows.csv"), text);
    CHECK_THROWS_AS(RowsFile(place.in("rows.csv"), "h\n", 5, 8, kNumbered), FolderError);
    CHECK(content(place.in("rows.csv")) == text);
    return RowsFile::look(place.in("rows.csv"), "h\n", 5, 3, kNumbered)->fault;
  };
  CHECK(fault_of_text("h\n5,a\n7,c\n") == "has another row where row 6 is due");
  CHECK(fault_of_text("h\n5,a\n6,b\n7,c\n8,d\n") == "has more than 3 rows");
  CHECK(fault_of_text("other\n5,a\n") == "has other columns");
  CHECK_FALSE(RowsFile::look(place.in("none.csv"), "h\n", 5, 3, kNumbered));

  const SweepSpec spec = spec_of(small({{"set", {{"/cost/usd_per_gpu_hour", {{"low", 2}, {"high", 4}}}}}, {"samples", 2}}));
  const SweepPlan plan(spec);
  for (const RowFormat format : {RowFormat::Csv, RowFormat::JsonLines}) {
    const SweepRows rows(spec, plan, shipped_catalogue(), format);
    for (const std::uint64_t row : {0U, 1U, 5U}) {
      CHECK(rows.line(row).starts_with(row_beginning(plan, row, format)));
      CHECK_FALSE(rows.line(row).starts_with(row_beginning(plan, row + 1, format)));
    }
  }
}

TEST_CASE("shards are contiguous, cover all rows once, and differ by one row at most", "[report]") {
  rc::prop("any cut", [](std::uint32_t rows, std::uint16_t shards) {
    const std::uint64_t of = shards + 1ULL;
    std::uint64_t next = 0;
    const std::uint64_t step = of > 64 ? of / 64 : 1;  // neighbours of some places are enough for many shards
    for (std::uint64_t i = 0; i < of; i += step) {
      const auto [first, last] = shard_rows(rows, i, of);
      if (i == 0 || step == 1) RC_ASSERT(first == next);
      RC_ASSERT(last - first >= rows / of && last - first <= rows / of + 1);
      next = last;
    }
    RC_ASSERT(shard_rows(rows, 0, of).first == 0);
    RC_ASSERT(shard_rows(rows, of - 1, of).second == rows);
  });
}

TEST_CASE("a folder refuses what would mix two sweeps, and keeps what is in it", "[report]") {
  const Place place;
  const SweepSpec spec = spec_of(small());
  const SweepPlan plan(spec);
  SweepManifest manifest = manifest_of(spec, plan, shipped_catalogue());
  manifest.version = "1.0";
  const std::string path = place.in("deep/results");
  SweepFolder folder = SweepFolder::make(path, manifest);
  CHECK(SweepFolder::open(path).manifest().text == manifest.text);
  CHECK_NOTHROW(SweepFolder::open(path).check_same(manifest));
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("tokenomics sweep resume " + path));

  const auto refused = [&](auto change, const std::string& why) {
    SweepManifest other = manifest;
    change(other);
    CHECK_THROWS_WITH(folder.check_same(other), Catch::Contains(why));
  };
  refused([](SweepManifest& m) { m.version = "1.1"; }, "begun by version 1.0, this is 1.1");
  refused([](SweepManifest& m) { m.program = "another"; }, "another build");
  refused([](SweepManifest& m) { m.hash = "another"; }, "another sweep");
  refused([](SweepManifest& m) { m.files["my.json"] = "another"; }, "my.json has changed");
  refused([](SweepManifest& m) { m.first_scenario = "another"; }, "first point has changed");
  refused([](SweepManifest& m) { m.catalogue["hardware"] = "another"; }, "catalogue's hardware have changed");

  folder.complete();
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("holds a finished sweep"));
  write(path + "/manifest.json", content(path + "/manifest.json").substr(0, 100));
  CHECK_THROWS_WITH(SweepFolder::open(path), Catch::Contains("no valid JSON; this manifest is broken"));
  write(path + "/manifest.json", "{}");
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("not \"tokenomics.sweep/1\""));
  SweepManifest none = manifest;
  none.shards = 0;
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.in("none"), none), Catch::Contains("shards below 1"));
  // What a process leaves that was killed while it made a manifest is in nobody's way.
  fs::create_directories(place.in("left"));
  write(place.in("left/manifest.json.host.1.tmp"), "{");
  CHECK_NOTHROW(SweepFolder::make(place.in("left"), manifest));
  write(place.in("file"), "mine");
  CHECK_THROWS_WITH(SweepFolder::make(place.path, manifest), Catch::Contains("is not empty"));
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.path, manifest), Catch::Contains("is not empty"));
  CHECK_THROWS_AS(SweepFolder::make(place.in("file"), manifest), IoError);
  CHECK(content(place.in("file")) == "mine");
}

TEST_CASE("shards are merged in order once each is there and whole", "[report]") {
  const Place place;
  const SweepSpec spec = spec_of(small());
  const SweepPlan plan(spec);
  SweepManifest manifest = manifest_of(spec, plan, shipped_catalogue());
  manifest.shards = 3;
  SweepFolder folder = SweepFolder::make_or_join(place.in("out"), manifest);
  CHECK(SweepFolder::make_or_join(place.in("out"), manifest).manifest().hash == manifest.hash);
  const std::string head = head_of(manifest);
  const auto fill = [&](std::uint64_t index, std::uint64_t rows) {
    folder.claim_shard(index, 3);
    const auto [first, last] = shard_rows(6, index, 3);
    RowsFile file(folder.shard_path(index, 3), head, first, last, kNumbered);
    for (std::uint64_t row = file.next(); row < first + rows; ++row) file.append(row, row_text(row));
  };
  fill(0, 2);
  fill(2, 1);
  using Missing = std::vector<std::pair<std::uint64_t, std::string>>;
  CHECK(folder.missing_shards(kNumbered) == Missing{{1, "has not begun"}, {2, "has 1 of 2 rows"}});
  fill(1, 2);
  fill(2, 2);
  CHECK(folder.missing_shards(kNumbered).empty());
  folder.merge_shards();
  std::string expected = head;
  for (std::uint64_t row = 0; row < 6; ++row) expected += row_text(row);
  CHECK(content(folder.points_path()) == expected);

  SweepManifest other = manifest;
  other.shards = 4;
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.in("out"), other), Catch::Contains("cut into 3 shards, not 4"));
  write(folder.shard_path(1, 3) + ".json", "{}");
  CHECK(folder.missing_shards(kNumbered) == Missing{{1, "is of another sweep or program"}});
  CHECK_THROWS_AS(folder.claim_shard(1, 3), FolderError);
}

}  // namespace tokenomics
