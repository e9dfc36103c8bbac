/* Rows of tables: which distinct ones a batch has, and sums over the rows that share one. */

#define ROWS_AT_ONCE 64 /* of a product: they stay in the fastest cache */

/* c (n, columns), its rows as long as whole panels or longer = a (n, depth) · b, packed. */
void NAME(product)(int64_t n, int64_t depth, int64_t columns, const REAL *a, const REAL *b, REAL *c, int64_t c_row) {
    for (int64_t first = 0; first < n; first += ROWS_AT_ONCE)
        multiply(n - first < ROWS_AT_ONCE ? n - first : ROWS_AT_ONCE, depth, columns, a + first * depth, depth, b,
                 c + first * c_row, c_row, 0);
}

#define COLUMNS_AT_ONCE 4 /* vectors of sums that stay in registers */

INLINE void add_columns(const REAL *values, int64_t row, const int64_t *order, int64_t count, REAL *to, const int vectors,
                        const int last) {
    VEC sum[COLUMNS_AT_ONCE];
    for (int v = 0; v < vectors; v++)
        sum[v] = load_some(values + order[0] * row + v * LANES, v == vectors - 1 ? last : LANES);
    for (int64_t n = 1; n < count; n++)
        for (int v = 0; v < vectors; v++)
            sum[v] += load_some(values + order[n] * row + v * LANES, v == vectors - 1 ? last : LANES);
    for (int v = 0; v < vectors; v++) store_some(to + v * LANES, sum[v], v == vectors - 1 ? last : LANES);
}

/* The K columns of `values`, `row` numbers from row to row, added up over the counts[u] rows that stand in `order` for
   each of U, in that order; to (U, K). */
void NAME(sums_of_rows)(int64_t U, int64_t K, const REAL *values, int64_t row, const int64_t *order,
                        const int64_t *counts, REAL *to) {
    for (int64_t u = 0; u < U; order += counts[u++], to += K) {
        int64_t k = 0;
        for (; k + COLUMNS_AT_ONCE * LANES <= K; k += COLUMNS_AT_ONCE * LANES)
            add_columns(values + k, row, order, counts[u], to + k, COLUMNS_AT_ONCE, LANES);
        for (; k + LANES <= K; k += LANES) add_columns(values + k, row, order, counts[u], to + k, 1, LANES);
        if (k < K) add_columns(values + k, row, order, counts[u], to + k, 1, (int)(K - k));
    }
}

/* The distinct ones among S ids below V, the commonest first and equally common ones by id, as DistinctTokens has them:
   two sorts by counting. `of_id` (V,) and `place` (S + 1,) are zeros that are used up; `found` is how many there are. */
void NAME(distinct)(int64_t S, int64_t V, const int64_t *ids, int64_t *of_id, int64_t *place, int64_t *rows,
                    int64_t *inverse, int64_t *order, int64_t *counts, int64_t *found) {
    int64_t total = 0;
    for (int64_t s = 0; s < S; s++) of_id[ids[s]]++;
    for (int64_t id = 0; id < V; id++)
        if (of_id[id]) place[of_id[id]]++;
    for (int64_t count = S; count > 0; count--) { /* now where the ids that occur so often begin */
        int64_t here = place[count];
        place[count] = total;
        total += here;
    }
    for (int64_t id = 0; id < V; id++)
        if (of_id[id]) {
            int64_t u = place[of_id[id]]++;
            rows[u] = id;
            counts[u] = of_id[id];
            of_id[id] = u;
        }
    int64_t *next = place; /* U ≤ S */
    for (int64_t u = 0, start = 0; u < total; start += counts[u++]) next[u] = start;
    for (int64_t s = 0; s < S; s++) {
        inverse[s] = of_id[ids[s]];
        order[next[inverse[s]]++] = s;
    }
    *found = total;
}

/* The sum of the rows that several ranks have of one table (V, K), each row of it once, for the rows that leave `index`
   when they are divided by `parts`: their numbers `rows`, rising, and `sums`. `place` are V zeros. */
void NAME(merge)(int64_t ranks, int64_t K, int64_t V, int64_t index, int64_t parts, const int64_t *counts,
                 const int64_t *const *of_rank, const REAL *const *values, int64_t *place, int64_t *rows, REAL *sums,
                 int64_t *found) {
    int64_t total = 0;
    for (int64_t rank = 0; rank < ranks; rank++)
        for (int64_t r = 0; r < counts[rank]; r++) place[of_rank[rank][r]] = 1;
    for (int64_t v = index; v < V; v += parts)
        if (place[v]) {
            rows[total] = v;
            place[v] = total++;
        }
    memset(sums, 0, (size_t)(total * K) * sizeof(REAL));
    for (int64_t rank = 0; rank < ranks; rank++)
        for (int64_t r = 0; r < counts[rank]; r++) {
            const int64_t row = of_rank[rank][r];
            if (row % parts != index) continue;
            const REAL *from = values[rank] + r * K;
            REAL *to = sums + place[row] * K;
            for (int64_t k = 0; k < K; k++) to[k] += from[k];
        }
    *found = total;
}
