#define REAL float
#define INT int32_t
#define NAME(x) JOIN(x, float32, LEVEL)
#define MANTISSA 23
#define ONE_BITS 0x3f800000
#define ROUNDS 12582912.0f /* 1.5 · 2^23: adding it rounds to an integer */
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#define LARGEST 87.33f /* 1 / (1 + e^LARGEST) is just not subnormal */
#define SQRT __builtin_sqrtf
#define SATURATED 10.0f
#define VANISHED 1e-30f
/* e^r − 1 to the 7th power. */
#define POLYNOMIAL(r) \
    (r * (1 + r * (1 / 2.0f + r * (1 / 6.0f + r * (1 / 24.0f + r * (1 / 120.0f + r * (1 / 720.0f + r * (1 / 5040.0f))))))))
#define WIDEST(what) _mm512_##what##_ps
#define WIDEST_MASK _mm512_cmp_ps_mask
#define WIDE(what) _mm256_##what##_ps
