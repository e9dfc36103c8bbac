/* All kernels for one type and one level of the processor's vectors. The build compiles this file once for each pair. */
#include "run.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define JOIN3(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN3(a, b, c)

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 8
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#else
#define VECTOR_BYTES 16
#define TILE_ROWS 6
#endif

#ifdef DOUBLE
#include "double.h"
#else
#include "float.h"
#endif
#include "vector.h"
#include "product.h"
#include "steps.h"
#include "gradients.h"
#include "lstm.h"
#include "gru.h"
#include "rnn.h"
#include "mingru.h"
#include "rows.h"
#include "optimizers.h"
