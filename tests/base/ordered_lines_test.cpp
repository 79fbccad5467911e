#include "tokenomics/base/ordered_lines.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace tokenomics {
namespace {

struct Received {
  std::vector<std::uint64_t> order;
  std::string text;
  OrderedLines::Line line() {
    return [this](std::uint64_t number, const std::string& made) {
      order.push_back(number);
      text += made;
    };
  }
};

OrderedLines numbers(std::uint64_t first, std::uint64_t last, Received& received) {
  OrderedLines lines;
  lines.first = first;
  lines.last = last;
  lines.make = [](std::uint64_t number) { return std::to_string(number) + "\n"; };
  lines.due = received.line();
  return lines;
}

}  // namespace

TEST_CASE("lines are handed over in order whatever the number of threads and however long each takes", "[base]") {
  Received one;
  OrderedLines alone = numbers(5, 300, one);
  alone.run();
  CHECK(one.order.size() == 295);
  CHECK(one.order.front() == 5);
  CHECK(one.order.back() == 299);
  for (const unsigned jobs : {2U, 3U, 8U}) {
    Received several;
    OrderedLines lines = numbers(5, 300, several);
    lines.jobs = jobs;
    lines.make = [](std::uint64_t number) {
      if (number % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return std::to_string(number) + "\n";
    };
    lines.run();
    CHECK(several.text == one.text);
  }
}

TEST_CASE("no thread runs further ahead of the line that is due than the window", "[base]") {
  Received received;
  OrderedLines lines = numbers(0, 200, received);
  lines.jobs = 4;
  lines.window = 6;
  std::atomic<std::uint64_t> due{0}, furthest{0};
  lines.make = [&](std::uint64_t number) {
    if (number > due + furthest) furthest = number - due;
    if (number % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return std::string("x");
  };
  lines.due = [&](std::uint64_t number, const std::string&) { due = number + 1; };
  lines.run();
  CHECK(due == 200);
  CHECK(furthest <= 6);
  CHECK(furthest >= 2);  // the others do go on while one line takes long
}

TEST_CASE("lines that are there already are not made again, and early ones are told at once", "[base]") {
  Received received, early;
  std::atomic<int> made{0};
  OrderedLines lines = numbers(0, 6, received);
  lines.made = {{1, "one\n"}, {4, "four\n"}, {5, "five\n"}};
  lines.early = early.line();
  lines.make = [&](std::uint64_t number) {
    ++made;
    return std::to_string(number) + "\n";
  };
  lines.run();
  CHECK(received.text == "0\none\n2\n3\nfour\nfive\n");
  CHECK(made == 3);
  CHECK(early.order.empty());  // one thread never is early

  // All of them, or the first ones.
  for (const std::uint64_t last : {2U, 5U}) {
    Received rest;
    OrderedLines known = numbers(0, last, rest);
    known.jobs = 2;
    known.made = {{0, "zero\n"}, {1, "one\n"}};
    known.run();
    CHECK(rest.order.size() == last);
    CHECK(rest.text.starts_with("zero\none\n"));
  }

  Received second, ahead;
  OrderedLines two = numbers(0, 2, second);
  two.jobs = 2;
  two.early = ahead.line();
  std::atomic<bool> is_second_made{false};
  two.make = [&](std::uint64_t number) {
    while (number == 0 && !is_second_made) std::this_thread::yield();
    return std::to_string(number);
  };
  two.early = [&](std::uint64_t number, const std::string& line) {
    ahead.line()(number, line);
    is_second_made = true;
  };
  two.run();
  CHECK(ahead.order == std::vector<std::uint64_t>{1});
  CHECK(second.text == "01");
}

TEST_CASE("an exception ends the work and reaches the caller", "[base]") {
  for (const unsigned jobs : {1U, 4U}) {
    Received received;
    OrderedLines lines = numbers(0, 1000, received);
    lines.jobs = jobs;
    lines.make = [](std::uint64_t number) -> std::string {
      if (number == 20) throw std::runtime_error("twenty");
      return "x";
    };
    CHECK_THROWS_WITH(lines.run(), "twenty");
    CHECK(received.order.size() <= 20);
  }
}

}  // namespace tokenomics
