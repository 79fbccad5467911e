#!/usr/bin/env python3
"""Writes the two tables of OpenRouter's endpoint statistics of 2025-06-27 into scenarios/markets.

  scripts/extract_offers.py INPUT_JSON            write both tables
  scripts/extract_offers.py INPUT_JSON --check    compare with the committed tables; exit 1 on a difference

INPUT_JSON holds a list "offers" of objects with the keys provider, model, date, source, usd_per_mtok {input,
input_cache_hit, output}, context_tokens, max_output_tokens, ttft_s_p50, tok_s_p50, quantization, requests_in_window; null
means that the scrape has no such figure, and the table's cell stays empty. The scrape's rows are those whose source names
it. Standard library only.
"""
import argparse
import csv
import io
import json
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parents[1] / "scenarios" / "markets"
DATE = "2025-06-27"
SCRAPE = "SiddarthNach/Modelz.io @d564fd2"
HOSTS_OF = "deepseek-v3-0324"  # the one network of the scrape with request counts

ABOUT = f"""\
# {{what}}
# Source: github.com/SiddarthNach/Modelz.io commit d564fd2 ({DATE}), a scrape of OpenRouter's endpoint statistics:
# {{files}}.
# Prices in USD per million tokens; medians of time to first token and of output speed as OpenRouter sees them (it does not
# state over which window). An empty cell: the scrape has no such figure.
# Licence: figures only, no text and no code of that repository, whose licence was not recorded.
"""
HOSTS_ABOUT = ABOUT.format(
    what=f"OpenRouter's hosts of DeepSeek-V3-0324 on {DATE}, with the requests each served in the statistics' window.",
    files="Model_Provider_csv_output/deepseek_deepseek-chat-v3-0324.csv; quantization and requests from\n"
    "# Testing_APIs_Diff_Methods/output.json (same scrape)")
OFFERS_ABOUT = ABOUT.format(
    what=f"OpenRouter's offers of {DATE}, all networks scraped. A provider that stands twice for a network has two services.",
    files="Model_Provider_csv_output/*.csv") + (
    "# Not from the scrape: DeepSeek's input_cached_usd_per_mtok, from api-docs.deepseek.com/quick_start/pricing.\n")


def plain(value):
    """The shortest text of a number; nothing for null."""
    return "" if value is None else f"{value:.12g}" if isinstance(value, (int, float)) else value


def common(offer):
    """Cells that both tables have."""
    price = offer["usd_per_mtok"]
    return {"provider": offer["provider"], "model": offer["model"],
            "input_usd_per_mtok": price["input"], "input_cached_usd_per_mtok": price["input_cache_hit"],
            "output_usd_per_mtok": price["output"], "context_tokens": offer["context_tokens"],
            "max_output_tokens": offer["max_output_tokens"], "ttft_s": offer["ttft_s_p50"], "tok_s": offer["tok_s_p50"],
            "quantization": offer["quantization"], "requests": offer["requests_in_window"]}


def table(about, columns, offers):
    text = io.StringIO()
    text.write(about)
    rows = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for offer in offers:
        rows.writerow({key: plain(value) for key, value in common(offer).items()})
    return text.getvalue()


def tables(offers):
    """File name -> text."""
    scraped = [o for o in offers if o["date"] == DATE and (o["source"] or "").startswith(SCRAPE)]
    hosts = [o for o in scraped if o["model"] == HOSTS_OF]
    hosts.sort(key=lambda o: -o["requests_in_window"])
    return {
        f"openrouter-v3-0324-{DATE}.csv": table(HOSTS_ABOUT, (
            "provider", "input_usd_per_mtok", "output_usd_per_mtok", "context_tokens", "ttft_s", "tok_s", "quantization",
            "requests"), hosts),
        f"openrouter-offers-{DATE}.csv": table(OFFERS_ABOUT, (
            "provider", "model", "input_usd_per_mtok", "input_cached_usd_per_mtok", "output_usd_per_mtok",
            "context_tokens", "max_output_tokens", "ttft_s", "tok_s", "quantization"), scraped),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=pathlib.Path, metavar="INPUT_JSON")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    different = 0
    for name, text in tables(json.loads(options.input.read_text(encoding="utf-8"))["offers"]).items():
        path = OUT / name
        if not options.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{name}: differs from what {options.input} gives")
            different += 1
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
