/* ∂L/∂ a weight: what it multiplies, transposed, times the gradients of the sums that it goes into. */

#define LEFT_ROW(K) ((K) + 2 * LANES) /* no power of two: rows would share a few lines of the cache */

/* out (K, columns), its rows as long as whole panels or longer: the sum over all rows of a packed batch of left ᵀ · d. The
   left rows of the first step are those of `first`, and of every other step those of the step before in `past`. So many
   rows `at_once` that their panel of d stays in the cache; the scratch is as many left rows, and a panel. */
void NAME(weight_gradient)(int64_t steps, int64_t K, int64_t columns, const int64_t *batch_sizes, const REAL *first,
                           const REAL *past, const REAL *d, int64_t d_row, REAL *out, int64_t out_row, int64_t at_once,
                           REAL *scratch) {
    const int64_t left_row = LEFT_ROW(K);
    REAL *left = scratch, *panel = scratch + at_once * left_row;
    int64_t count = 0;
    int more = 0;
    for (int64_t t = 0; t < steps; t++) {
        const REAL *from = t ? past : first;
        if (t) past += batch_sizes[t - 1] * K;
        for (int64_t n = 0; n < batch_sizes[t]; n++, from += K) {
            memcpy(left + count++ * left_row, from, (size_t)K * sizeof(REAL));
            if (count < at_once && !(t == steps - 1 && n == batch_sizes[t] - 1)) continue;
            for (int64_t p = 0; p < columns; p += PANEL) {
                for (int64_t r = 0; r < count; r++)
                    for (int64_t u = p; u < p + PANEL; u += LANES) {
                        const int64_t there = columns - u < LANES ? columns - u : LANES;
                        store(panel + r * PANEL + u - p, there > 0 ? load_some(d + r * d_row + u, (int)there) : (VEC){0});
                    }
                tiles(K, count, columns - p, left, 1, left_row, panel, out + p, out_row, more);
            }
            d += count * d_row;
            count = 0, more = 1;
        }
    }
}
