/* The optimizers of core/optim/optimizers.py, and its lazy rows, each in one pass over the rows, in place. The compiler
   makes vectors of these loops. `rows` says which rows of the arrays; NULL where they are all meant. */

/* constants: β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε, η / (1 − β₁ᵗ), and what weight decay leaves. */
void NAME(adam)(int64_t count, int64_t K, const int64_t *rows, REAL *values, const REAL *gradient, REAL *mean,
                REAL *square, const double *constants) {
    const REAL beta1 = (REAL)constants[0], rest1 = (REAL)constants[1], beta2 = (REAL)constants[2];
    const REAL rest2 = (REAL)constants[3], root = (REAL)constants[4], epsilon = (REAL)constants[5];
    const REAL rate = (REAL)constants[6], keep = (REAL)constants[7];
    for (int64_t r = 0; r < count; r++) {
        const int64_t at = (rows ? rows[r] : r) * K;
        REAL *restrict w = values + at, *restrict m = mean + at, *restrict v = square + at;
        const REAL *restrict g = gradient + r * K;
        for (int64_t k = 0; k < K; k++) {
            m[k] = m[k] * beta1 + rest1 * g[k];
            v[k] = v[k] * beta2 + g[k] * g[k] * rest2;
            w[k] = w[k] * keep - m[k] / (SQRT(v[k]) / root + epsilon) * rate;
        }
    }
}

/* Rows of a table that was last up to date after step `since`, brought up to date, as core/optim/lazy_rows.py has it for
   Adam: what is kept of the values, and how far they are pushed, by that step; what is left of the moments by the number
   of steps that were missed. */
void NAME(adam_catch_up)(int64_t count, int64_t K, const int64_t *rows, int64_t now, int64_t *since, const double *kept,
                         const double *pushed, const double *left1, const double *left2, const double *constants,
                         REAL *values, REAL *mean, REAL *square) {
    const REAL epsilon = (REAL)constants[0];
    for (int64_t r = 0; r < count; r++) {
        const int64_t at = rows[r] * K, then = since[rows[r]];
        const REAL keep = (REAL)kept[then], push = (REAL)pushed[then];
        const REAL keep_m = (REAL)left1[now - then], keep_v = (REAL)left2[now - then];
        REAL *restrict w = values + at, *restrict m = mean + at, *restrict v = square + at;
        for (int64_t k = 0; k < K; k++) {
            w[k] = w[k] * keep - m[k] / (SQRT(v[k]) + epsilon) * push;
            m[k] *= keep_m;
            v[k] *= keep_v;
        }
        since[rows[r]] = now;
    }
}
