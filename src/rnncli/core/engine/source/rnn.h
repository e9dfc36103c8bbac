/* The plain recurrent network of core/cells/rnn.py, with tanh or ReLU. The one plane of its cache is h. */

INLINE VEC rnn_function(const int relu, VEC a) {
    if (!relu) return hyperbolic_tangent(a);
    return choose(a < 0, (VEC){0}, a); /* NaN stays NaN */
}

INLINE void rnn_forward(const struct forward *run, const int relu) {
    const int64_t H = run->hidden, width = whole_panels(H);
    REAL *h = run->state[0], *past = run->scratch, *kept = run->kept[0];
    int64_t row = 0;
    for (int64_t t = 0; t < run->steps; t++) {
        const int64_t n = run->batch_sizes[t];
        multiply(n, H, H, h, H, run->weight, past, width, 0);
        for (int64_t r = 0; r < n; r++, row++) {
            const REAL *x = sums_of(run, row), *own = past + r * width;
            REAL *h_t = h + r * H, *kept_t = kept + row * H;
            EACH_VECTOR(H, {
                VEC v = rnn_function(relu, load_some(x + u, count) + load(own + u));
                store_some(h_t + u, v, count);
                store_some(kept_t + u, v, count);
            });
        }
    }
}

void NAME(rnn_tanh_forward)(const struct forward *run) { rnn_forward(run, 0); }
void NAME(rnn_relu_forward)(const struct forward *run) { rnn_forward(run, 1); }

INLINE void rnn_units_backward(const int relu, const REAL *h, const REAL *dy, const REAL *dh, REAL *da,
                               const int count) {
    VEC h_t = load_some(h, count), dh_t = load_some(dh, count);
    if (dy) dh_t += load_some(dy, count);
    store_some(da, dh_t * (relu ? choose(h_t > 0, all(1), (VEC){0}) : 1 - h_t * h_t), count);
}

INLINE void rnn_backward(const struct backward *run, const int relu) {
    const int64_t H = run->hidden, width = whole_panels(H);
    const REAL *h = run->kept[0];
    REAL *dh = run->dstate[0], *dsums = run->dsums;
    int64_t row = rows_of(run);
    for (int64_t t = run->steps - 1; t >= 0; t--) {
        const int64_t n = run->batch_sizes[t];
        row -= n;
        for (int64_t r = 0; r < n; r++) {
            const REAL *dy = dy_of(run, row + r);
            const int64_t at = (row + r) * H;
            EACH_VECTOR(H, rnn_units_backward(relu, h + at + u, dy ? dy + u : 0, dh + r * H + u, dsums + at + u,
                                              count));
        }
        multiply(n, H, H, dsums + row * H, H, run->weight, run->scratch, width, 0);
        copy_gradient(n, H, run->scratch, width, dh);
    }
}

void NAME(rnn_tanh_backward)(const struct backward *run) { rnn_backward(run, 0); }
void NAME(rnn_relu_backward)(const struct backward *run) { rnn_backward(run, 1); }
