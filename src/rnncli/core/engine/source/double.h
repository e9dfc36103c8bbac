#define REAL double
#define INT int64_t
#define NAME(x) JOIN(x, float64, LEVEL)
#define MANTISSA 52
#define ONE_BITS 0x3ff0000000000000
#define ROUNDS 6755399441055744.0 /* 1.5 · 2^52: adding it rounds to an integer */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define LARGEST 708.39 /* 1 / (1 + e^LARGEST) is just not subnormal */
#define SQRT __builtin_sqrt
#define SATURATED 20.0
#define VANISHED 1e-284
/* e^r − 1 to the 13th power. */
#define POLYNOMIAL(r)                                                                                               \
    (r * (1 + r * (1 / 2.0 + r * (1 / 6.0 + r * (1 / 24.0 + r * (1 / 120.0 + r * (1 / 720.0 + r * (1 / 5040.0 +     \
     r * (1 / 40320.0 + r * (1 / 362880.0 + r * (1 / 3628800.0 + r * (1 / 39916800.0 + r * (1 / 479001600.0 +       \
     r * (1 / 6227020800.0))))))))))))))
#define WIDEST(what) _mm512_##what##_pd
#define WIDEST_MASK _mm512_cmp_pd_mask
#define WIDE(what) _mm256_##what##_pd
