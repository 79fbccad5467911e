#include "tokenomics/hw/precision.hpp"

#include "support/catch.hpp"

using namespace tokenomics;

TEST_CASE("an element takes its bits plus its share of the block's scale", "[hw]") {
  CHECK(bytes_per_element(Precision::Bf16) == 2.0);
  CHECK(bytes_per_element(Precision::Fp32) == 4.0);
  CHECK(bytes_per_element(Precision::Int8) == 1.0);
  // MXFP4: 32 elements in 16 B + 1 B of exponent = 17 B; gpt-oss publishes 4.25 bits a weight.
  CHECK(32 * bytes_per_element(Precision::Fp4) == 17.0);
  // INT4: 64 elements in 32 B + 2 B of scale = 34 B.
  CHECK(64 * bytes_per_element(Precision::Int4) == 34.0);
  // FP8: a 128 x 128 block is 16,384 B + 4 B of scale.
  CHECK(16384 * bytes_per_element(Precision::Fp8) == 16388.0);
}

TEST_CASE("every precision is found again by its name", "[hw]") {
  for (const Precision p :
       {Precision::Bf16, Precision::Fp8, Precision::Fp4, Precision::Int8, Precision::Int4, Precision::Fp32}) {
    CHECK(precision_named(name_of(p)) == p);
  }
}

TEST_CASE("an unknown or differently spelt precision is not found", "[hw]") {
  CHECK_FALSE(precision_named("fp16").has_value());
  CHECK_FALSE(precision_named("BF16").has_value());
  CHECK_FALSE(precision_named("").has_value());
}
