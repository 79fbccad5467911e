"""Bounded least squares on log error: Levenberg-Marquardt in a logistic transform of each bounded parameter."""
import math

BOUNDS = {
    "compute": (0.02, 1.0),
    "memory": (0.02, 1.0),
    "sharpness": (1.0, 8.0),
    "launch_us": (0.0, 80.0),
    "latency_us": (0.0, 200.0),
    "scale_up": (0.02, 1.0),
    "scale_out": (0.02, 1.0),
}


def to_inner(name, value):
    low, high = BOUNDS[name]
    share = min(max((value - low) / (high - low), 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))


def to_outer(name, inner):
    low, high = BOUNDS[name]
    return low + (high - low) / (1 + math.exp(-max(-40.0, min(40.0, inner))))


def solve_linear(matrix, right):
    """Gauss elimination with pivoting; the systems have at most five unknowns."""
    n = len(right)
    a = [row[:] + [right[i]] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(a[r][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for r in range(n):
            if r != i and a[i][i]:
                factor = a[r][i] / a[i][i]
                a[r] = [x - factor * y for x, y in zip(a[r], a[i])]
    return [a[i][n] / a[i][i] if a[i][i] else 0.0 for i in range(n)]


def residuals(rows, weights, predict, values):
    return [w * math.log(predict(row, values) / row.latency_us) for row, w in zip(rows, weights)]


def jacobian(function, point, step):
    base = function(point)
    columns = []
    for i in range(len(point)):
        moved = list(point)
        moved[i] += step[i]
        columns.append([(b - a) / step[i] for a, b in zip(base, function(moved))])
    return base, columns


def descend(function, point):
    """Levenberg-Marquardt; returns the point and its sum of squares."""
    damping, best = 1e-2, sum(r * r for r in function(point))
    for _ in range(80):
        base, columns = jacobian(function, point, [1e-4] * len(point))
        normal = [[sum(x * y for x, y in zip(a, b)) for b in columns] for a in columns]
        gradient = [sum(x * y for x, y in zip(a, base)) for a in columns]
        improved = False
        while damping < 1e8:
            damped = [
                [v * (1 + damping) + (1e-9 if i == j else 0) if i == j else v for j, v in enumerate(r)]
                for i, r in enumerate(normal)
            ]
            trial = [max(-12.0, min(12.0, x - d)) for x, d in zip(point, solve_linear(damped, gradient))]
            total = sum(r * r for r in function(trial))
            if total < best:
                improved = best - total > 1e-10 * best
                point, best, damping = trial, total, damping / 5
                break
            damping *= 4
        if not improved:
            break
    return point, best


def standard_errors(rows, weights, predict, values, free):
    """From the curvature at the optimum, s^2 (J^T J)^-1, in the parameters' own units; None for one that sits at a bound."""
    inside = [
        n
        for n in free
        if BOUNDS[n][0] + 1e-3 * (BOUNDS[n][1] - BOUNDS[n][0])
        < values[n]
        < BOUNDS[n][1] - 1e-3 * (BOUNDS[n][1] - BOUNDS[n][0])
    ]
    function = lambda x: residuals(rows, weights, predict, {**values, **dict(zip(inside, x))})
    point = [values[n] for n in inside]
    base, columns = jacobian(function, point, [1e-5 * max(abs(x), 0.1) for x in point])
    variance = sum(r * r for r in base) / max(1, len(rows) - len(inside))
    normal = [[sum(x * y for x, y in zip(a, b)) for b in columns] for a in columns]
    errors = {}
    for i, name in enumerate(inside):
        unit = [1.0 if j == i else 0.0 for j in range(len(inside))]
        errors[name] = math.sqrt(max(0.0, variance * solve_linear(normal, unit)[i]))
    return errors


def table_weights(rows, equal_tables):
    """Square roots of weights with mean 1; with equal_tables every source weighs the same, however many rows it has."""
    if not equal_tables:
        return [1.0] * len(rows)
    sizes = {}
    for row in rows:
        sizes[row.source] = sizes.get(row.source, 0) + 1
    return [math.sqrt(len(rows) / (len(sizes) * sizes[row.source])) for row in rows]


def fit(rows, predict, start, fixed, equal_tables=False):
    """Free parameters are those of `start` that `fixed` does not name. Returns values, standard errors, sum of squares."""
    weights = table_weights(rows, equal_tables)
    free = [n for n in start if n not in fixed]
    values_at = lambda x: {**fixed, **{n: to_outer(n, v) for n, v in zip(free, x)}}
    function = lambda x: residuals(rows, weights, predict, values_at(x))
    point, best = descend(function, [to_inner(n, start[n]) for n in free])
    values = values_at(point)
    return values, standard_errors(rows, weights, predict, values, free), best


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def quality(rows, predict, values):
    """Median and p90 of the absolute relative error, and the median signed one."""
    signed = sorted(predict(row, values) / row.latency_us - 1 for row in rows)
    size = sorted(abs(e) for e in signed)
    return {
        "rows": len(rows),
        "median": percentile(size, 0.5),
        "p90": percentile(size, 0.9),
        "bias": percentile(signed, 0.5),
    }
