/* Vectors of REAL as wide as the processor's, and the functions of the gates on them. Included once for each type. */

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#define LANES ((int)(VECTOR_BYTES / sizeof(REAL)))
typedef REAL VEC __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL VEC_U __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INT VEC_I __attribute__((vector_size(VECTOR_BYTES)));

INLINE VEC load(const REAL *p) { return *(const VEC_U *)p; }
INLINE void store(REAL *p, VEC v) { *(VEC_U *)p = v; }
INLINE VEC all(REAL x) { return x - (VEC){0}; } /* x − 0 is x for every x, −0 and NaN too */

/* The first `count` numbers only; the others are 0. A copy of a size that is not known in advance is a call: masks, or
   a half, a quarter … of a vector, are several times as fast. */
INLINE VEC load_some(const REAL *p, int count) {
    if (count >= LANES) return load(p);
#if defined(__AVX512F__)
    return WIDEST(maskz_loadu)((1u << count) - 1, p);
#elif defined(__AVX2__)
    static const INT mask[2 * LANES] = {[0 ... LANES - 1] = -1};
    return WIDE(maskload)(p, *(const __m256i_u *)(mask + LANES - count));
#else
    VEC v = {0};
    memcpy(&v, p, (size_t)count * sizeof(REAL));
    return v;
#endif
}
INLINE void store_some(REAL *p, VEC v, int count) {
    if (count >= LANES) {
        store(p, v);
        return;
    }
#if defined(__AVX512F__)
    WIDEST(mask_storeu)(p, (1u << count) - 1, v);
#else
    const REAL *from = (const REAL *)&v;
    _Pragma("GCC unroll 4") for (int size = LANES / 2; size; size /= 2) if (count & size) {
        memcpy(p, from, (size_t)size * sizeof(REAL));
        p += size, from += size;
    }
#endif
}

/* `yes` where the mask is set, else `no`. */
INLINE VEC choose(VEC_I mask, VEC yes, VEC no) { return (VEC)((mask & (VEC_I)yes) | (~mask & (VEC_I)no)); }

/* The larger, the smaller of a bound and x, NaN where x is; y where x is not below the bound, else 0, and y where x is NaN.
   The portable form is the definition; the compiler does not find the instructions for it. */
#if defined(__AVX512F__)
INLINE VEC at_least(VEC bound, VEC x) { return WIDEST(max)(bound, x); }
INLINE VEC at_most(VEC bound, VEC x) { return WIDEST(min)(bound, x); }
INLINE VEC zero_below(VEC bound, VEC x, VEC y) { return WIDEST(maskz_mov)(WIDEST_MASK(x, bound, _CMP_NLT_UQ), y); }
#elif defined(__AVX2__)
INLINE VEC at_least(VEC bound, VEC x) { return WIDE(max)(bound, x); }
INLINE VEC at_most(VEC bound, VEC x) { return WIDE(min)(bound, x); }
INLINE VEC zero_below(VEC bound, VEC x, VEC y) { return (VEC)(~(x < bound) & (VEC_I)y); }
#else
INLINE VEC at_least(VEC bound, VEC x) { return choose(x < bound, bound, x); }
INLINE VEC at_most(VEC bound, VEC x) { return choose(x > bound, bound, x); }
INLINE VEC zero_below(VEC bound, VEC x, VEC y) { return (VEC)(~(x < bound) & (VEC_I)y); }
#endif

/* e^x − 1 as 2^n (e^r − 1) + (2^n − 1), with n = round(x / ln 2) and r = x − n ln 2, |r| ≤ 0.35; ln 2 in two parts, so
   that r is exact (Cody & Waite 1980). e^r − 1 is its Taylor polynomial: the first term left out is below 2e−8 of it for
   float, 5e−17 for double. x must lie where 2^n does not overflow; NaN stays NaN. */
INLINE VEC exp_minus_one(VEC x) {
    VEC shifted = x * (REAL)1.4426950408889634 + (REAL)ROUNDS;
    VEC n = shifted - (REAL)ROUNDS;
    VEC_I bits = (VEC_I)shifted << MANTISSA; /* n stands in the lowest bits of `shifted` */
    VEC r = x - n * (REAL)LN2_HIGH;
    r = r - n * (REAL)LN2_LOW;
    VEC two_n = (VEC)(bits + ONE_BITS);
    return two_n * POLYNOMIAL(r) + (two_n - 1);
}

/* σ(x) = 1 / (1 + e^−x), within 1.5 ε of it, relative, ε = 2^−23 or 2^−52 (tests/core/test_engine_functions.py); 0 below
   −LARGEST, where it would be subnormal; NaN stays NaN. */
INLINE VEC sigmoid(VEC x) {
    const VEC bound = all(LARGEST);
    return zero_below(-bound, x, 1 / (2 + exp_minus_one(at_most(bound, at_least(-bound, -x)))));
}

/* tanh(x) = (e^2x − 1) / (e^2x + 1), within 2.25 ε of it: with e^2x − 1 as such nothing is lost near 0. Beyond ±SATURATED
   it is ±1; of −0 it is +0. */
INLINE VEC hyperbolic_tangent(VEC x) {
    const VEC bound = all(2 * SATURATED);
    VEC e = exp_minus_one(at_most(bound, at_least(-bound, x + x)));
    return e / (e + 2);
}

/* 0 for what has all but vanished: smaller numbers would be subnormal soon, for which some processors take a hundred
   times as long. NaN stays NaN. */
INLINE VEC without_vanished(VEC x) {
    VEC_I tiny = (x < (REAL)VANISHED) & (x > -(REAL)VANISHED);
    return (VEC)(~tiny & (VEC_I)x);
}
