/* The minimal GRU of core/cells/mingru.py: no product with the past. The planes of its cache are z, n, h, the columns of
   its weights, and its sums, az, n. */

INLINE void mingru_units(int64_t H, const REAL *x, REAL *h, REAL *const kept[], int64_t at, const int count) {
    VEC z = sigmoid(load_some(x, count)), n = load_some(x + H, count), h_past = load_some(h, count);
    VEC h_t = h_past + z * (n - h_past);
    store_some(h, h_t, count);
    store_some(kept[2] + at, h_t, count);
    if (!kept[0]) return;
    store_some(kept[0] + at, z, count);
    store_some(kept[1] + at, n, count);
}

void NAME(mingru_forward)(const struct forward *run) {
    const int64_t H = run->hidden;
    REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2]};
    int64_t row = 0;
    for (int64_t t = 0; t < run->steps; t++) {
        REAL *h = run->state[0];
        for (int64_t r = 0; r < run->batch_sizes[t]; r++, row++, h += H) {
            const REAL *x = sums_of(run, row);
            const int64_t at = row * H;
            EACH_VECTOR(H, mingru_units(H, x + u, h + u, kept, at + u, count));
        }
    }
}

INLINE void mingru_units_backward(int64_t H, const REAL *const kept[], int64_t at, const REAL *h_past, const REAL *dy,
                                  REAL *dh, REAL *da, const int count) {
    VEC z = load_some(kept[0] + at, count), n = load_some(kept[1] + at, count), dh_t = load_some(dh, count);
    if (dy) dh_t += load_some(dy, count);
    VEC dn = dh_t * z, closed = 1 - z;
    store_some(da, (n - load_some(h_past, count)) * dn * closed, count);
    store_some(da + H, dn, count);
    store_some(dh, without_vanished(dh_t * closed), count);
}

void NAME(mingru_backward)(const struct backward *run) {
    const int64_t H = run->hidden;
    const REAL *const kept[] = {run->kept[0], run->kept[1], run->kept[2]};
    int64_t row = rows_of(run);
    for (int64_t t = run->steps - 1; t >= 0; t--) {
        row -= run->batch_sizes[t];
        const REAL *h_past = t ? kept[2] + (row - run->batch_sizes[t - 1]) * H : run->first[0];
        REAL *dh = run->dstate[0], *da = (REAL *)run->dsums + row * 2 * H;
        for (int64_t r = 0; r < run->batch_sizes[t]; r++, dh += H, h_past += H, da += 2 * H) {
            const REAL *dy = dy_of(run, row + r);
            const int64_t at = (row + r) * H;
            EACH_VECTOR(H, mingru_units_backward(H, kept, at + u, h_past + u, dy ? dy + u : 0, dh + u, da + u, count));
        }
    }
}
