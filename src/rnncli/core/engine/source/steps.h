/* What the cells' walks through time share. */

/* Runs a statement for every vector of H units: `u` is its first unit, `count` how many there are, a constant but for
   the part of a vector at the end. */
#define EACH_VECTOR(H, ...)                                \
    do {                                                   \
        int64_t u = 0;                                     \
        for (; u + LANES <= (H); u += LANES) {             \
            const int count = LANES;                       \
            __VA_ARGS__;                                   \
        }                                                  \
        if (u < (H)) {                                     \
            const int count = (int)((H) - u);              \
            __VA_ARGS__;                                   \
        }                                                  \
    } while (0)

/* x_t·W_i + b of a row. */
INLINE const REAL *sums_of(const struct forward *run, int64_t row) {
    return (const REAL *)run->sums + (run->index ? run->index[row] : row) * run->sums_row;
}

/* ∂L/∂h_t of a row from outside; NULL if there is none. */
INLINE const REAL *dy_of(const struct backward *run, int64_t row) {
    return run->dy ? (const REAL *)run->dy + row * run->dy_row : 0;
}

INLINE int64_t rows_of(const struct backward *run) {
    int64_t rows = 0;
    for (int64_t t = 0; t < run->steps; t++) rows += run->batch_sizes[t];
    return rows;
}

/* Rows of whole panels, without what has vanished, as (n, H). */
INLINE void copy_gradient(int64_t n, int64_t H, const REAL *from, int64_t width, REAL *to) {
    for (int64_t r = 0; r < n; r++, from += width, to += H)
        EACH_VECTOR(H, store_some(to + u, without_vanished(load(from + u)), count));
}
