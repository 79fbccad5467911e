"""Turns plans into calibration files: every number with its rows, standard error and source."""
import csv

from kernel_fit import solve, work
from kernel_fit.plan import NO_HOLD, Assumed, LinkPlan, Rows, launches

START = {"compute": 0.6, "memory": 0.75, "sharpness": 2.0, "launch_us": 5.0}
LINK_START = {"latency_us": 15.0, "scale_up": 0.5, "scale_out": 0.8}

with open(work.FOLDER / "sources.csv", newline="") as legend:
    SOURCES = {row["key"]: row["source"] for row in csv.DictReader(legend)}
ROWS = {gpu: work.read(gpu) for gpu in work.HARDWARE}


def chosen(selections):
    return [row for s in selections for row in ROWS[s.gpu] if s.matches(row)]


def describe(selections, rows):
    """Tables and row counts: what a number was fitted on."""
    counts = {}
    for row in rows:
        key = (row.source, row.gpu, row.engine)
        counts[key] = counts.get(key, 0) + 1
    text = ", ".join(f"{source} ({gpu}, {engine}) {n} rows" for (source, gpu, engine), n in counts.items())
    why = "; ".join(dict.fromkeys(s.why for s in selections if s.why))
    return text + (f" [{why}]" if why else "")


def origin(rows):
    return "; ".join(SOURCES[s] for s in dict.fromkeys(r.source for r in rows))


def shown(value):
    return float(f"{value:.4g}")


def leaf(value, kind, source, low=None, high=None, error=None, note=None):
    result = {"value": shown(value), "kind": kind, "source": source}
    for key, item in (("standard_error", error), ("low", low), ("high", high)):
        if item is not None:
            result[key] = shown(item)
    if note:
        result["note"] = note
    return result


def kernel_predictor(plan):
    def predict(row, values):
        offset = (
            values.get("offset_us", 0.0) if row.source == plan.fit_offset_of else plan.offset_us.get(row.source, 0.0)
        )
        return work.row_time_us(row, values) + offset

    return predict


def best_tile(plan, rows):
    """The tile is discrete: the one with the smallest sum of squares."""
    fixed = {name: value[0] for name, value in plan.fixed.items()}
    start = {**START, "offset_us": 4.0} if plan.fit_offset_of else START
    tiles = [fixed["tile_m"]] if "tile_m" in fixed else plan.tiles
    predict = kernel_predictor(plan)
    fits = [solve.fit(rows, predict, start, {**fixed, "tile_m": tile}, plan.equal_tables) for tile in tiles]
    return min(fits, key=lambda f: f[2])


def spread_of(plan, rows, values):
    """(low, high) of one parameter when each table is fitted alone on the rows named by the plan."""
    name, keep = plan.spread
    alone = []
    for source in dict.fromkeys(r.source for r in rows):
        some = [r for r in rows if r.source == source and keep(r)]
        if some:
            fixed = {n: v for n, v in values.items() if n != name}
            alone.append(solve.fit(some, kernel_predictor(plan), {name: values[name]}, fixed)[0][name])
    return min(alone + [values[name]]), max(alone + [values[name]])


def fit_kernel(plan):
    rows = chosen(plan.rows)
    solve.BOUNDS.update({"compute": (0.02, 1.0), "memory": (0.02, 1.0), "offset_us": (0.0, 30.0), **plan.caps})
    values, errors, _ = best_tile(plan, rows)
    on = describe(plan.rows, rows)
    leaves = {}
    for name in ("compute", "memory", "sharpness", "launch_us", "tile_m"):
        if name in plan.fixed:
            leaves[name] = leaf(*plan.fixed[name][:3])
        elif name == "tile_m":
            leaves[name] = leaf(
                values[name], "fitted", "best of " + "/".join(map(str, plan.tiles)) + " on the same rows as compute"
            )
        else:
            low, high = spread_of(plan, rows, values) if plan.spread and plan.spread[0] == name else (None, None)
            note = None if name in errors else "at its bound: not identified by these rows"
            leaves[name] = leaf(
                values[name],
                "fitted",
                "least squares on log error: " + on + ". " + origin(rows),
                low,
                high,
                errors.get(name),
                note,
            )
    if plan.note:
        leaves["compute"]["note"] = plan.note + (
            "; " + leaves["compute"]["note"] if "note" in leaves["compute"] else ""
        )
    return leaves, solve.quality(rows, kernel_predictor(plan), values), on, values


def fit_link(plan, constants):
    rows = chosen(plan.rows)
    solve.BOUNDS.update({"scale_up": (0.02, 1.0), "scale_out": (0.02, 1.0)})
    fixed = {n: constants[v] if isinstance(v, str) else v for n, v in plan.fixed.items()}
    numbers = {n: v[0] for n, v in fixed.items()}
    values, errors, _ = solve.fit(rows, work.link_time_us, LINK_START, numbers)
    if not any(work.link_bytes(r)[1] for r in rows) and "scale_out" not in fixed:
        raise ValueError("scale_out without a multi-node row")
    on = describe(plan.rows, rows)
    leaves = {}
    for name in ("latency_us", "scale_up", "scale_out", "sm_hold_us"):
        note = None if name in errors or name in fixed else "at its bound"
        leaves[name] = (
            leaf(*fixed[name][:3])
            if name in fixed
            else leaf(
                values[name],
                "fitted",
                "least squares on log error: " + on + ". " + origin(rows),
                error=errors.get(name),
                note=note,
            )
        )
    if plan.note:
        leaves["scale_up"]["note"] = plan.note
    return leaves, solve.quality(rows, work.link_time_us, values), on, values


def assumed_leaves(plan):
    return {
        name: leaf(item[0], "assumed", item[1], *(item[2:] if len(item) > 2 else ()))
        for name, item in plan.values.items()
    }


def link_constants():
    """A latency that H800's table, at one size, cannot tell from bandwidth: from DeepEP's multi-node rows on H100."""
    normal = LinkPlan(
        [Rows("h100", "all_to_all_normal", keep=lambda r: r.fields["ranks"] in ("16", "32"), why="16 and 32 ranks")],
        dict(NO_HOLD),
    )
    _, _, on, values = fit_link(normal, {})
    return {
        "LATENCY_NORMAL": (
            values["latency_us"],
            "fitted",
            "least squares on log error: " + on + " (same kernels, same NIC). " + SOURCES["aic-deepep"],
        )
    }


def build(plan, constants):
    """The calibration file of one plan, and the rows of its fit table."""
    file = {
        "name": plan.name,
        "gpu": plan.gpu,
        "engine": plan.engine,
        "family_default": plan.family_default,
        "description": plan.description,
        "fitted_on": [],
        "kernels": {},
    }
    table = []
    for part, group in (("kernels", plan.kernels), ("links", plan.links)):
        for name, item in group.items():
            if isinstance(item, Assumed):
                leaves = assumed_leaves(item)
            else:
                leaves, quality, on, _ = fit_kernel(item) if part == "kernels" else fit_link(item, constants)
                table.append((plan.name, name, leaves, quality))
                file["fitted_on"].append(
                    f"{name}: {on}; median error {quality['median']:.1%}, p90 {quality['p90']:.1%}"
                )
            (file["kernels"] if part == "kernels" else file)[name] = leaves
    order = [
        "dense_gemm",
        "grouped_gemm",
        "batched_gemm",
        "attention_decode",
        "attention_prefill",
        "indexer",
        "elementwise",
    ]
    file["kernels"] = {name: file["kernels"][name] for name in order}
    for name, (value, kind, source, low, high) in plan.scalars.items():
        if value == "LAYER_BUDGET":
            held = launches(file)
            value, source = max(0.0, 85.0 - held), source + f" ({held:.0f} us)"
        file[name] = leaf(value, kind, source, low, high)
    if not file["fitted_on"]:
        file["fitted_on"].append("nothing: every number is assumed")
    return file, table
