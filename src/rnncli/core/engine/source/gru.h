/* The GRU of core/cells/gru.py. The planes of its cache are r, z, n, m, h, the columns of its weights r, z, n; its sums
   are m, ar, az, an, the first three of which W_h goes into. */

INLINE void gru_units(int64_t H, const REAL *x, const REAL *past, const REAL *bias, REAL *h, REAL *const kept[],
                      int64_t at, const int count) {
    VEC r = sigmoid(load_some(x, count) + load_some(past, count));
    VEC z = sigmoid(load_some(x + H, count) + load_some(past + H, count));
    VEC m = load_some(past + 2 * H, count);
    if (bias) m += load_some(bias, count);
    VEC n = hyperbolic_tangent(load_some(x + 2 * H, count) + r * m);
    VEC h_t = n + z * (load_some(h, count) - n);
    store_some(h, h_t, count);
    store_some(kept[4] + at, h_t, count);
    if (!kept[0]) return;
    store_some(kept[0] + at, r, count);
    store_some(kept[1] + at, z, count);
    store_some(kept[2] + at, n, count);
    store_some(kept[3] + at, m, count);
}

void NAME(gru_forward)(const struct forward *run) {
    const int64_t H = run->hidden, width = whole_panels(3 * H);
    const REAL *bias = run->bias;
    REAL *h = run->state[0], *past = run->scratch;
    REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2], run->kept[3], run->kept[4]};
    int64_t row = 0;
    for (int64_t t = 0; t < run->steps; t++) {
        const int64_t n = run->batch_sizes[t];
        multiply(n, H, 3 * H, h, H, run->weight, past, width, 0);
        for (int64_t r = 0; r < n; r++, row++) {
            const REAL *x = sums_of(run, row), *own = past + r * width;
            const int64_t at = row * H;
            EACH_VECTOR(H, gru_units(H, x + u, own + u, bias ? bias + u : 0, h + r * H + u, kept, at + u, count));
        }
    }
}

/* `carried` is what reaches h_(t−1) past the gates, z ⊙ ∂L/∂h_t. */
INLINE void gru_units_backward(int64_t H, const REAL *const kept[], int64_t at, const REAL *dy, const REAL *dh,
                               REAL *carried, REAL *da, const int count) {
    VEC r = load_some(kept[0] + at, count), z = load_some(kept[1] + at, count);
    VEC n = load_some(kept[2] + at, count), m = load_some(kept[3] + at, count);
    VEC h = load_some(kept[4] + at, count), dh_t = load_some(dh, count);
    if (dy) dh_t += load_some(dy, count);
    VEC dh_closed = dh_t * (1 - z);
    VEC d_candidate = dh_closed * (1 - n * n);
    VEC dm = d_candidate * r;
    store_some(da, dm, count);
    store_some(da + H, dm * m * (1 - r), count);
    store_some(da + 2 * H, dh_closed * (h - n), count); /* z ⊙ (h_(t−1) − n) is h − n */
    store_some(da + 3 * H, d_candidate, count);
    store_some(carried, dh_t * z, count);
}

void NAME(gru_backward)(const struct backward *run) {
    const int64_t H = run->hidden, width = whole_panels(H);
    const REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2], run->kept[3], run->kept[4]};
    REAL *dh = run->dstate[0], *dsums = run->dsums, *carried = run->scratch;
    int64_t row = rows_of(run);
    for (int64_t t = run->steps - 1; t >= 0; t--) {
        const int64_t n = run->batch_sizes[t];
        row -= n;
        for (int64_t r = 0; r < n; r++) {
            const REAL *dy = dy_of(run, row + r);
            REAL *da = dsums + (row + r) * 4 * H, *own = carried + r * width;
            const int64_t at = (row + r) * H;
            EACH_VECTOR(H, gru_units_backward(H, kept, at + u, dy ? dy + u : 0, dh + r * H + u, own + u, da + u,
                                              count));
        }
        multiply(n, 3 * H, H, dsums + row * 4 * H, 4 * H, run->weight, carried, width, 1);
        copy_gradient(n, H, carried, width, dh);
    }
}
