// Elementwise kernels on f32. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

typedef enum {
    CK_NEGATE, CK_EXP, CK_LOG, CK_SQRT, CK_RECIPROCAL, CK_SQUARE, CK_ABS, CK_RELU, CK_SIGMOID,
    CK_TANH, CK_SILU, CK_GELU_TANH, CK_ADD_SCALAR, CK_MULTIPLY_SCALAR, CK_CLAMP
} ck_unary;

typedef enum { CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM,
               /* 1 where the comparison holds, else 0 */ CK_GREATER, CK_GREATER_EQUAL } ck_binary;

/// y[i] = op(x[i]); `p`, `q` are the scalar operand or the clamp's bounds.
void ck_unary_f32(ck_pool *pool, ck_unary op, const float *x, float *y, long n, float p, float q);

/// dx[i] = dy[i] · op'(x[i]), given x and y = op(x).
void ck_unary_backward_f32(ck_pool *pool, ck_unary op, const float *x, const float *y,
                           const float *dy, float *dx, long n, float p, float q);

/// out = op(a, b) over a broadcast shape; strides in elements, 0 along broadcast dimensions; out contiguous.
void ck_binary_f32(ck_pool *pool, ck_binary op, int dims, const long *shape, const float *a,
                   const long *a_strides, const float *b, const long *b_strides, float *out);
