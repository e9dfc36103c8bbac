/* What Python hands over; `core/engine/steps.py` has the same structures for ctypes. All sizes and strides count numbers, not bytes. */
#ifndef RUN_H
#define RUN_H
#include <stdint.h>

#define PLANES 7

/* Some timesteps of a packed batch, forwards. Step t has the first `batch_sizes[t]` sequences; its rows follow those of
   the step before. */
struct forward {
    int64_t hidden, steps;
    const int64_t *batch_sizes; /* of these steps */
    const void *sums;           /* x·W_i + b: a row of all gates for each timestep, or each distinct token */
    int64_t sums_row;           /* from one row to the next */
    const int64_t *index;       /* the row of each timestep; NULL where they follow each other */
    const void *weight;         /* W_h, packed */
    const void *bias;           /* a bias inside of the recurrent side; NULL if there is none */
    void *state[2];             /* (N, H) each: the state before, overwritten by the last of every sequence */
    void *kept[PLANES];         /* (S, H) each, in the order of the cell's cache; all but h are NULL if none is kept */
    void *scratch;              /* N rows of the packed columns */
};

/* The same steps, backwards, the last step first. */
struct backward {
    int64_t hidden, steps;
    const int64_t *batch_sizes; /* of all steps */
    const void *dy;             /* (S, H) ∂L/∂h_t from outside, or NULL */
    int64_t dy_row;
    const void *weight;         /* W_h transposed, packed */
    const void *first[2];       /* (N, H) each: the state that the first step read */
    const void *kept[PLANES];   /* as forward left them */
    void *dstate[2];            /* (N, H) each: ∂L/∂ the last state, overwritten by ∂L/∂ the first */
    void *dsums;                /* (S, A·H) ∂L/∂ the sums, side by side in the order of the specification */
    void *scratch;              /* N rows of H, filled up to whole panels */
};
#endif
