/* ∂L/∂ a weight: what it multiplies, transposed, times the gradients of the sums that it goes into. */

#define LEFT_ROW(K) ((K) + 2 * LANES) /* no power of two: rows would share a few lines of the cache */

/* out (K + 1, columns), its rows as long as whole panels or longer: the sum over all rows of a packed batch of left ᵀ · d,
   and below it that of d. The left rows of the first step are those of `first`, and of every other step those of the step
   before in `past`. So many rows `at_once` that their panel of d stays in the cache; the scratch is as many left rows, and
   a panel. */
void NAME(weight_gradient)(int64_t steps, int64_t K, int64_t columns, const int64_t *batch_sizes, const REAL *first,
                           const REAL *past, const REAL *d, int64_t d_row, REAL *out, int64_t out_row, int64_t at_once,
                           REAL *scratch) {
    const int64_t left_row = LEFT_ROW(K);
    REAL *left = scratch, *panel = scratch + at_once * left_row;
    int64_t rows = 0;
    int more = 0;
    for (int64_t t = 0; t < steps; t++) {
        const REAL *from = t ? past : first;
        if (t) past += batch_sizes[t - 1] * K;
        for (int64_t n = 0; n < batch_sizes[t]; n++, from += K) {
            REAL *to = left + rows++ * left_row;
            EACH_VECTOR(K, store_some(to + u, load_some(from + u, count), count));
            if (rows < at_once && !(t == steps - 1 && n == batch_sizes[t] - 1)) continue;
            for (int64_t p = 0; p < columns; p += PANEL) {
                const int64_t there = columns - p;
                REAL *total = out + K * out_row + p;
                VEC total0 = more ? load(total) : (VEC){0}, total1 = more ? load(total + LANES) : (VEC){0};
                for (int64_t r = 0; r < rows; r++) {
                    const REAL *d_r = d + r * d_row + p;
                    VEC d0 = load_some(d_r, there < LANES ? (int)there : LANES), d1 = {0};
                    if (there > LANES) d1 = load_some(d_r + LANES, there < PANEL ? (int)there - LANES : LANES);
                    total0 += d0, total1 += d1;
                    store(panel + r * PANEL, d0);
                    store(panel + r * PANEL + LANES, d1);
                }
                store(total, total0);
                store(total + LANES, total1);
                tiles(K, rows, there, left, 1, left_row, panel, out + p, out_row, more);
            }
            d += rows * d_row;
            rows = 0, more = 1;
        }
    }
}
