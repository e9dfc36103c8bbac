/* c = a·b for a few rows of a, and the columns of b in panels that lie in the order in which they are read. A number of c
   is added up in the order of k, whatever the number of rows: a sequence has the same bits alone and in any batch. */

#define PANEL (2 * LANES) /* columns */

/* So many columns, filled up to whole panels. */
int64_t NAME(whole_panels)(int64_t columns) { return (columns + PANEL - 1) / PANEL * PANEL; }
#define whole_panels NAME(whole_panels)

/* Writes b (rows, columns) panel after panel, the last one filled up with zeros: rows · whole_panels(columns) numbers.
   `row` and `column` are from one row to the next, and from one column to the next. */
void NAME(pack)(const REAL *b, int64_t rows, int64_t columns, int64_t row, int64_t column, REAL *out) {
    for (int64_t p = 0; p < columns; p += PANEL, b += PANEL * column) {
        const int64_t width = columns - p < PANEL ? columns - p : PANEL;
        if (width < PANEL) memset(out, 0, (size_t)(rows * PANEL) * sizeof(REAL));
        if (column == 1) {
            for (int64_t k = 0; k < rows; k++, out += PANEL)
                for (int64_t j = 0; j < width; j++) out[j] = b[k * row + j];
            continue;
        }
        /* Along the columns, a few rows at a time: across them, columns that are a power of two apart would share a few
           lines of the cache. */
        for (int64_t k = 0; k < rows; k += PANEL) {
            const int64_t some = rows - k < PANEL ? rows - k : PANEL;
            for (int64_t j = 0; j < width; j++)
                for (int64_t i = 0; i < some; i++) out[i * PANEL + j] = b[(k + i) * row + j * column];
            out += some * PANEL;
        }
    }
}

/* `rows` rows of one panel, or of the first of its `vectors`; what is beyond is then 0. `a_row` and `a_column` are from one
   row of a to the next, and from one column to the next. */
INLINE void tile(const int rows, const int vectors, int64_t depth, const REAL *a, int64_t a_row, int64_t a_column,
                 const REAL *b, REAL *c, int64_t c_row, int more) {
    VEC sum[rows][2];
    _Pragma("GCC unroll 8") for (int i = 0; i < rows; i++) {
        sum[i][0] = (VEC){0};
        sum[i][1] = (VEC){0};
        if (more) __builtin_prefetch(c + i * c_row), __builtin_prefetch(c + i * c_row + LANES);
    }
    for (int64_t k = 0; k < depth; k++, b += PANEL) {
        VEC b0 = load(b), b1 = load(b + LANES);
        _Pragma("GCC unroll 8") for (int i = 0; i < rows; i++) {
            VEC x = all(a[i * a_row + k * a_column]);
            sum[i][0] += x * b0;
            if (vectors > 1) sum[i][1] += x * b1;
        }
    }
    _Pragma("GCC unroll 8") for (int i = 0; i < rows; i++) {
        if (more) { /* at the end: small products would lose their last digits in a large c */
            sum[i][0] += load(c + i * c_row);
            sum[i][1] += load(c + i * c_row + LANES);
        }
        store(c + i * c_row, sum[i][0]);
        store(c + i * c_row + LANES, sum[i][1]);
    }
}

INLINE void tiles_of(const int vectors, int64_t n, int64_t depth, const REAL *a, int64_t a_row, int64_t a_column,
                     const REAL *b, REAL *c, int64_t c_row, int more) {
    const int64_t blocks = (n + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t first = n * block / blocks, rows = n * (block + 1) / blocks - first;
        const REAL *from = a + first * a_row;
        REAL *to = c + first * c_row;
        switch (rows) {
        case 1: tile(1, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 2: tile(2, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 3: tile(3, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 4: tile(4, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 5: tile(5, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 6: tile(6, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
#if TILE_ROWS > 6
        case 7: tile(7, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
        case 8: tile(8, vectors, depth, from, a_row, a_column, b, to, c_row, more); break;
#endif
        }
    }
}

/* c (n, PANEL) = a (n, depth) · one panel, of which `columns` are used, or c += where `more`. */
INLINE void tiles(int64_t n, int64_t depth, int64_t columns, const REAL *a, int64_t a_row, int64_t a_column, const REAL *b,
                  REAL *c, int64_t c_row, int more) {
    if (columns > LANES)
        tiles_of(2, n, depth, a, a_row, a_column, b, c, c_row, more);
    else
        tiles_of(1, n, depth, a, a_row, a_column, b, c, c_row, more);
}

/* c (n, columns) = a (n, depth) · b, or c += where `more`. The rows of c are as long as whole panels. */
static void multiply(int64_t n, int64_t depth, int64_t columns, const REAL *a, int64_t a_row, const REAL *b, REAL *c,
                     int64_t c_row, int more) {
    for (int64_t p = 0; p < columns; p += PANEL, b += depth * PANEL)
        tiles(n, depth, columns - p, a, a_row, 1, b, c + p, c_row, more);
}
