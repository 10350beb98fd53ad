"""Queries over the world of kept cells: those that cells serve, and those that they do not."""

SERVED = {
    "count": "SELECT city, COUNT(*) FROM visits GROUP BY city",
    "sum": "SELECT city, SUM(amount) FROM visits GROUP BY city",
    "two keys": "SELECT city, month, COUNT(*), SUM(amount) FROM visits GROUP BY city, month",
    "keys in another order": "SELECT month, city, SUM(amount) FROM visits GROUP BY month, city",
    "mean": "SELECT city, AVG(amount) FROM visits GROUP BY city",
    "several": "SELECT city, COUNT(*), SUM(amount), AVG(x), SUM(price) FROM visits GROUP BY city",
    "variance": "SELECT city, VAR_POP(x), STDDEV_SAMP(amount) FROM visits GROUP BY city",
    "values there": "SELECT city, COUNT(amount), COUNT(x) FROM visits GROUP BY city",
    "an expression": "SELECT city, SUM(amount * 2 + 1) FROM visits GROUP BY city",
    "a month": "SELECT date_trunc('month', day), AVG(amount) FROM visits GROUP BY 1",
    "private keys": "SELECT tag, COUNT(*), SUM(x) FROM visits GROUP BY tag",
    "private keys, one integer": "SELECT month, tag, COUNT(*) FROM visits GROUP BY 1, 2",
    "units": "SELECT city, COUNT(DISTINCT pid) FROM visits GROUP BY city",
    "units of private keys": "SELECT tag, COUNT(DISTINCT pid) FROM visits GROUP BY tag",
    "no keys": "SELECT COUNT(*), AVG(amount), SUM(x) FROM visits",
    "fewer groups": "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 1) tag,"
    " COUNT(*) FROM visits GROUP BY tag",
    "inlined": "SELECT c, SUM(a) FROM (SELECT city AS c, amount AS a FROM visits) v GROUP BY c",
    "after the noise": "SELECT * FROM (SELECT city, COUNT(*) AS n FROM visits GROUP BY city) r"
    " WHERE city = 'B'",
}

NOT_SERVED = {
    "a filter": "SELECT city, COUNT(*) FROM visits WHERE amount > 5 GROUP BY city",
    "a filter on a key": "SELECT city, COUNT(*) FROM visits WHERE city = 'B' GROUP BY city",
    "FILTER": "SELECT city, COUNT(*) FILTER (WHERE amount > 5) FROM visits GROUP BY city",
    "other keys": "SELECT month, COUNT(*) FROM visits GROUP BY month",
    "more keys": "SELECT city, tag, COUNT(*) FROM visits GROUP BY city, tag",
    "another value": "SELECT tag, SUM(price) FROM visits GROUP BY tag",
    "another range": "SELECT city, SUM(amount, contribution_bounds_per_row => (0, 10)) FROM visits"
    " GROUP BY city",
    "fewer rows": "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 1) city,"
    " COUNT(*) FROM visits GROUP BY city",
    "a join": "SELECT v.city, COUNT(*) FROM visits v JOIN persons p ON v.pid = p.id GROUP BY 1",
    "a pair": "SELECT city, CORR(amount, x) FROM visits GROUP BY city",
    "a quantile": "SELECT city, MEDIAN(amount) FROM visits GROUP BY city",
    "distinct values": "SELECT city, COUNT(DISTINCT tag) FROM visits GROUP BY city",
    "an expression of a key": "SELECT month // 2, COUNT(*) FROM visits GROUP BY 1",
}
