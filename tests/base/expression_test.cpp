#include <atomic>
#include <cmath>
#include <limits>
#include <locale>
#include <string>
#include <vector>

#include "support/catch.hpp"

#include "tokenomics/base/expression.hpp"
#include "tokenomics/base/parallel.hpp"

using namespace tokenomics;

namespace {

const std::vector<std::string> kNames{"users", "pools.0.mfu", "cost.usd_per_mtok.own_mix"};

double value(const std::string& text) { return Expression(text, kNames).evaluate({2, 0.5, 3}); }

std::string error_of(const std::string& text) {
  try {
    const Expression read(text, kNames);
    return "read";
  } catch (const ExpressionError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("expressions keep the usual precedence", "[base]") {
  CHECK(value("1 + 2 * 3") == 7);
  CHECK(value("(1 + 2) * 3") == 9);
  CHECK(value("2 ^ 3 ^ 2") == 512);
  CHECK(value("-2 ^ 2") == -4);
  CHECK(value("8 / 4 / 2") == 1);
  CHECK(value("10 - 4 - 3") == 3);
  CHECK(value("2 ^ -1") == 0.5);
  CHECK(value("1 + 1 == 2 && 3 * 2 > 5") == 1);
  CHECK(value("1 || 0 && 0") == 1);
  CHECK(value("1 <= 1") + value("1 >= 2") + value("1 != 2") + value("1 < 1") == 2);
  CHECK(value("users > 1 ? 10 : 20") == 10);
  CHECK(value("users > 2 ? 10 : users > 1 ? 20 : 30") == 20);
}

TEST_CASE("names hold dots, digits and underscores, and numbers stay numbers", "[base]") {
  CHECK(value("cost.usd_per_mtok.own_mix * users") == 6);
  CHECK(value("pools.0.mfu * 1.5") == 0.75);
  CHECK(value("1.5 + 1e-3") == 1.501);
  CHECK(value("1E3 - .5") == 999.5);
  CHECK(value("2*users") == 4);
  CHECK(value(" users\n +\t1 ") == 3);
}

TEST_CASE("expressions know these functions", "[base]") {
  CHECK(value("min(3, users, 5)") == 2);
  CHECK(value("max(3, users, 5)") == 5);
  CHECK(value("min(users)") == 2);
  CHECK(value("abs(-3)") == 3);
  CHECK(value("sqrt(16)") == 4);
  CHECK(value("exp(0)") == 1);
  CHECK(value("log(exp(2))") == Approx(2));
  CHECK(value("log10(1000)") == Approx(3));
  CHECK(value("log2(8)") == Approx(3));
  CHECK(value("pow(2, 10)") == 1024);
  CHECK(value("round(-2.5)") == -3);
  CHECK(value("floor(-2.5)") == -3);
  CHECK(value("ceil(-2.5)") == -2);
  CHECK(value("1 / 0") == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(value("log(-1)")));
}

TEST_CASE("an expression tells which names it uses", "[base]") {
  CHECK(Expression("cost.usd_per_mtok.own_mix + users * users", kNames).used() == std::vector<std::size_t>{0, 2});
  CHECK(Expression("users > 3 ? pools.0.mfu : 1", kNames).used() == std::vector<std::size_t>{0, 1});
  CHECK(Expression("1 + 1", kNames).used().empty());
  CHECK(Expression("1 + users", kNames).text() == "1 + users");
}

TEST_CASE("a value that is not known makes the result unknown, and only where it is used", "[base]") {
  const double nan = std::nan("");
  CHECK(Expression("users + 1", kNames).evaluate({2, nan, nan}) == 3);
  for (const char* text : {"pools.0.mfu", "min(users, pools.0.mfu)", "pools.0.mfu > 3", "1 || pools.0.mfu",
                           "users > 1 ? users : pools.0.mfu", "pools.0.mfu ^ 0"})
    CHECK(std::isnan(Expression(text, kNames).evaluate({2, nan, 3})));
}

TEST_CASE("what cannot be read is told with its place and what was found", "[base]") {
  CHECK(error_of("users + usres") == "\"users + usres\", column 9: unknown name usres; did you mean users?");
  CHECK(error_of("sqr(4)") == "\"sqr(4)\", column 1: unknown name sqr; did you mean sqrt?");
  CHECK(error_of("2 * temperature") == "\"2 * temperature\", column 5: unknown name temperature");
  CHECK(error_of("2 * min") == "\"2 * min\", column 5: min needs arguments in parentheses");
  CHECK(error_of("users +") == "\"users +\", column 8: ends too early");
  CHECK(error_of("(users") == "\"(users\", column 7: a parenthesis is not closed");
  CHECK(error_of("users)") == "\"users)\", column 6: unexpected )");
  CHECK(error_of("users +* 3") == "\"users +* 3\", column 8: unexpected *");
  CHECK(error_of("users users") == "\"users users\", column 7: unexpected users");
  CHECK(error_of("3 4") == "\"3 4\", column 3: unexpected 4");
  CHECK(error_of("users % 3") == "\"users % 3\", column 7: unexpected %");
  CHECK(error_of("users + \xC3\xA9 + 1") == "\"users + \xC3\xA9 + 1\", column 9: unexpected \xC3\xA9");
  CHECK(error_of("users ? 1") == "\"users ? 1\", column 10: ? without :");
  CHECK(error_of("pow(1)") == "\"pow(1)\", column 6: too few arguments of pow");
  CHECK(error_of("pow(1, 2, 3)") == "\"pow(1, 2, 3)\", column 12: too many arguments of pow");
  CHECK(error_of("min()") == "\"min()\", column 6: too few arguments of min");
  CHECK(error_of("") == "\"\", column 1: nothing to compute");
  CHECK(error_of("1.5.users") == "\"1.5.users\", column 4: unexpected .users");
  CHECK_THROWS_AS(Expression("1", {std::string(200, 'a')}), ExpressionError);
  for (const char* text : {"users", "users == 1", "users <= 1", "users != 1"}) CHECK(error_of(text) == "read");
}

TEST_CASE("an expression sets nothing, says nothing and has one value", "[base]") {
  CHECK(error_of("users = 3") == "\"users = 3\", column 7: unexpected =; equality is ==");
  CHECK(error_of("users === 3") == "\"users === 3\", column 9: unexpected =; equality is ==");
  CHECK(error_of("1, 2") == "\"1, 2\", column 2: unexpected ,; one value is computed");
  CHECK(error_of("\"text\"") != "read");
  CHECK(error_of("_pi") != "read");
  CHECK(error_of("sin(1)") != "read");
  CHECK_THROWS_AS(Expression("1", {"min"}), std::logic_error);
  CHECK_THROWS_AS(Expression("1", {"0.users"}), std::logic_error);
  CHECK_THROWS_AS(Expression("1", {"a b"}), std::logic_error);
  CHECK_THROWS_AS(Expression("users", kNames).evaluate({1}), std::logic_error);
}

TEST_CASE("a decimal comma elsewhere in the program does not change an expression", "[base]") {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  const double read = value("1.5 + 1234.25");
  const std::string refused = error_of("1,5");
  std::locale::global(before);
  CHECK(read == 1235.75);
  CHECK(refused == "\"1,5\", column 2: unexpected ,; one value is computed");
}

TEST_CASE("copies of an expression are evaluated by several threads at once", "[base]") {
  const Expression expression("users * users + pools.0.mfu", kNames);
  std::atomic<int> wrong{0};
  parallel_for(4, 4, [&](std::size_t thread) {
    const Expression mine = expression;
    for (int i = 0; i < 200000; ++i) {
      const double users = static_cast<double>(thread) + i;
      if (mine.evaluate({users, 1, 0}) != users * users + 1) ++wrong;
    }
  });
  CHECK(wrong == 0);
}
