/* The LSTM of core/cells/lstm.py: the same equations, cache and gradients, a step in one pass over the registers. The
   planes of its cache are o, i, f, g, c, tanh(c), h, the columns of its weights o, i, f, g. */

INLINE void lstm_units(int64_t H, const REAL *x, const REAL *past, REAL *h, REAL *c, REAL *const kept[], int64_t at,
                       const int count) {
    VEC o = sigmoid(load_some(x, count) + load_some(past, count));
    VEC i = sigmoid(load_some(x + H, count) + load_some(past + H, count));
    VEC f = sigmoid(load_some(x + 2 * H, count) + load_some(past + 2 * H, count));
    VEC g = hyperbolic_tangent(load_some(x + 3 * H, count) + load_some(past + 3 * H, count));
    VEC c_t = f * load_some(c, count) + i * g;
    VEC tanh_c = hyperbolic_tangent(c_t);
    VEC h_t = o * tanh_c;
    store_some(c, c_t, count);
    store_some(h, h_t, count);
    store_some(kept[6] + at, h_t, count);
    if (!kept[0]) return;
    store_some(kept[0] + at, o, count);
    store_some(kept[1] + at, i, count);
    store_some(kept[2] + at, f, count);
    store_some(kept[3] + at, g, count);
    store_some(kept[4] + at, c_t, count);
    store_some(kept[5] + at, tanh_c, count);
}

void NAME(lstm_forward)(const struct forward *run) {
    const int64_t H = run->hidden, width = whole_panels(4 * H);
    REAL *h = run->state[0], *c = run->state[1], *past = run->scratch;
    REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2], run->kept[3],
                          run->kept[4], run->kept[5], run->kept[6]};
    int64_t row = 0;
    for (int64_t t = 0; t < run->steps; t++) {
        const int64_t n = run->batch_sizes[t];
        multiply(n, H, 4 * H, h, H, run->weight, past, width, 0);
        for (int64_t r = 0; r < n; r++, row++) {
            const REAL *x = sums_of(run, row);
            EACH_VECTOR(H, lstm_units(H, x + u, past + r * width + u, h + r * H + u, c + r * H + u, kept, row * H + u,
                                      count));
        }
    }
}

INLINE void lstm_units_backward(int64_t H, const REAL *const kept[], int64_t at, const REAL *c_past, const REAL *dy,
                                REAL *dh, REAL *dc, REAL *da, const int count) {
    VEC o = load_some(kept[0] + at, count), i = load_some(kept[1] + at, count);
    VEC f = load_some(kept[2] + at, count), g = load_some(kept[3] + at, count);
    VEC tanh_c = load_some(kept[5] + at, count), dh_t = load_some(dh, count);
    if (dy) dh_t += load_some(dy, count);
    VEC dc_t = without_vanished(load_some(dc, count) + dh_t * o * (1 - tanh_c * tanh_c));
    store_some(da, dh_t * tanh_c * o * (1 - o), count);
    store_some(da + H, dc_t * g * i * (1 - i), count);
    store_some(da + 2 * H, dc_t * load_some(c_past, count) * f * (1 - f), count);
    store_some(da + 3 * H, dc_t * i * (1 - g * g), count);
    store_some(dc, dc_t * f, count);
}

void NAME(lstm_backward)(const struct backward *run) {
    const int64_t H = run->hidden, width = whole_panels(H);
    const REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2], run->kept[3], run->kept[4], run->kept[5]};
    REAL *dh = run->dstate[0], *dc = run->dstate[1], *dsums = run->dsums;
    int64_t row = rows_of(run);
    for (int64_t t = run->steps - 1; t >= 0; t--) {
        const int64_t n = run->batch_sizes[t];
        row -= n;
        const REAL *c_past = t ? kept[4] + (row - run->batch_sizes[t - 1]) * H : run->first[1];
        for (int64_t r = 0; r < n; r++) {
            const REAL *dy = dy_of(run, row + r);
            REAL *da = dsums + (row + r) * 4 * H;
            const int64_t at = (row + r) * H;
            EACH_VECTOR(H, lstm_units_backward(H, kept, at + u, c_past + r * H + u, dy ? dy + u : 0, dh + r * H + u,
                                               dc + r * H + u, da + u, count));
        }
        multiply(n, 4 * H, H, dsums + row * 4 * H, 4 * H, run->weight, run->scratch, width, 0);
        copy_gradient(n, H, run->scratch, width, dh);
    }
}
